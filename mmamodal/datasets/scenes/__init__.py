"""Drawn scenes with exact truth, from a seed."""
