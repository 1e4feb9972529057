"""Trust over time: laws of motion, the stage game in trust and threat, and dynamic solvers."""
