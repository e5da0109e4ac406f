"""Detectors of amodal and visible masks."""
