"""The order of an image's objects, drawn and in files."""
