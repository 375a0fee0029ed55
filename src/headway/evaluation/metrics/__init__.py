"""What a prediction is worth, one kind of task a file."""
