"""When an equilibrium is the only one, and a list complete.

`proofs` has the claims and the table of proofs; `theorems` the conditions of the theorems, `continua` what
they leave out; `cells` the proof by intervals, with `response` and `slopes`.
"""
