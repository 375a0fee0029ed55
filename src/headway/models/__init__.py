"""From batches to logits, and what trains them."""
