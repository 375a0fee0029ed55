"""What a config may say, where it is found, and what it may build."""
