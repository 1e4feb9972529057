"""Every equilibrium of an alliance game, and what is known of the list."""
