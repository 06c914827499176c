"""Differential runs against other libraries, where they are installed: docs/differences says what differs."""
