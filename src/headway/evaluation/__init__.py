"""From logits to documents, answers and metrics."""
