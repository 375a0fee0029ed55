"""Drawings of a report, as SVG that stands in the page and needs nothing else."""
