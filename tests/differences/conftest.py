"""The comparisons import what may not be installed: test_*.py say what is missing."""

collect_ignore_glob = ["by_*.py"]
