"""What a game means: one symbolic definition, from which everything else is derived."""
