"""Curves, histograms and tables as pictures."""
