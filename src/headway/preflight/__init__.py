"""What can be known of a run before it: labels, rows, tokens, lengths, steps and cost, and what is odd."""
