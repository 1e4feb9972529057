"""Trigger threats: compliance sets, each of which leaves a game without jumps."""
