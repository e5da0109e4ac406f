"""Completers of masks: networks, losses, order, and what learns nothing."""
