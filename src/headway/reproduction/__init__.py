"""Reproductions: a published value, the experiment that should come to it, and whether it does."""
