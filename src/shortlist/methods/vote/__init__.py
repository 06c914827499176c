"""Picks among answers: votes, rewards and tests."""
