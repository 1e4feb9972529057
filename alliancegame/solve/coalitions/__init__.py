"""Coalition games: values, the core, the nucleolus."""
