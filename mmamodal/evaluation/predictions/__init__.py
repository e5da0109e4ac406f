"""Detections in files: written, read, checked and merged."""
