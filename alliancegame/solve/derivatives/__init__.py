"""Derivatives of equilibria by the implicit function theorem, one-sided at kinks."""
