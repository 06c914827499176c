"""Interpreters of plans: the one place with threads, clocks, paid calls and resumable stages."""
