"""What turns hidden states into logits, one class a file."""
