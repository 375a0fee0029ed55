"""What others load."""
