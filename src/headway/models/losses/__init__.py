"""What training minimises, one class a file."""
