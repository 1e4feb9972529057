"""The checker for games of one's own: `rules` (further functions), `formulas` and `finite`."""
