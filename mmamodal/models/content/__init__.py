"""Completers of content (PCNet-C)."""
