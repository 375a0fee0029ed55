"""Code that a transformers export carries along, for heads that transformers has no class for."""
