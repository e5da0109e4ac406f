"""Average precision of amodal, visible, joint and invisible masks."""
