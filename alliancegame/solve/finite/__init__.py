"""Finite games: equilibria, commitment, correlation, dominance, repeated play and learning."""
