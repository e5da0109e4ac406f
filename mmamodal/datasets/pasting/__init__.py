"""Whole objects pasted in front of others, for detectors."""
