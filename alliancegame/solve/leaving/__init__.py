"""Leaving the alliance: what is outside, who stays with whom, and how equilibria are found."""
