"""A model over HTTP: requests checked, batched, answered once each, and a stop that finishes them."""
