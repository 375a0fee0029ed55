"""One command, one file a verb."""
