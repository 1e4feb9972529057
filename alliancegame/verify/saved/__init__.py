"""Bookkeeping of the checker: what a saved result says, and where. It proves nothing.

`reading` turns records into numbers, games and plans, or refuses them; `kinds` says for each kind of
result, as data, which of its parts are equilibria and what it claims; `check` walks through a file.
"""
