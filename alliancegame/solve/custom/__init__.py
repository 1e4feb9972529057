"""Equilibria of users' own games: `ContinuousGame` and `AggregativeGame`."""
