"""Annotation files: drawn, converted, checked, mended and counted. Functions, no registry."""
