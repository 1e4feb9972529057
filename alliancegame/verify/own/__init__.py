"""The checker for games of one's own: `formulas`, and `finite` games.

`rules` adds what is found in users' formulas alone to the tables of `intervals` and `smooth`.
"""

from alliancegame.verify.own import rules as rules
