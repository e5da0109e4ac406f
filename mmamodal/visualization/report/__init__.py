"""The report on work directories: read, and laid out as a page."""
