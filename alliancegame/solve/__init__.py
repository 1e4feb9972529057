"""Equilibria: one file for each kind of problem, over one engine."""
