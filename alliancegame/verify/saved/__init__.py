"""Bookkeeping of the checker: what a saved result says, and where. It proves nothing.

`reading` turns records into numbers, games and plans, or refuses them; `kinds` says for each kind of
result, as data, which of its parts are equilibria and what it claims; `outcomes` and `lists` what follows
from those equilibria; `check` walks through a file, `written` writes payoffs out, `report` is what was
found.
"""
