"""The parts of trust.py: a file a row."""
