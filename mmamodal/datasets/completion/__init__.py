"""Objects two by two, and the synthetic occlusion that a completer learns from."""
