"""What a detector gets wrong: judged, ranked, drawn."""
