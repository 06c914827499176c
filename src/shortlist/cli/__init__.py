"""The command line: thin over the doors."""
