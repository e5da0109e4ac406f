"""How well objects, their order and their content are completed."""
