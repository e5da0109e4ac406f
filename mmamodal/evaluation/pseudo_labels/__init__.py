"""The annotation file again, its masks completed."""
