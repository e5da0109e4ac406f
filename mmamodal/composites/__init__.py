"""Images made of whole objects pasted on backgrounds: what is hidden is known."""
