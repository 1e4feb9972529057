"""One member's spill-in or umbrella beside the alliance's: final against congested.

A number for the alliance is spread by congestion; a value by member is final. Whoever gives one
member's value has to know on which scale it is.
"""

from __future__ import annotations

import numpy as np

from alliancegame.game.game import BurdenSharingGame

SPREAD = ("spillin", "umbrella")
"""Parameters whose alliance-wide number is congested, in the order of `game.congested`."""


def is_spread(game: BurdenSharingGame, name: str) -> bool:
    """Whether the parameter is one number for the alliance that congestion makes smaller."""
    return (
        name in SPREAD and game.congestion > 0 and not isinstance(getattr(game, name), np.ndarray)
    )


def final_value(game: BurdenSharingGame, name: str, member: str) -> float:
    """What congestion leaves of a spill-in or umbrella for one member."""
    values = game.congested[SPREAD.index(name)]
    return float(values[game.members.index_of(member)])


def final_note(game: BurdenSharingGame, name: str, member: str | None) -> str:
    """What must be said beside `umbrella[FRA]`: the scale, and the present value; else empty."""
    if member is None or member not in game.members or not is_spread(game, name):
        return ""
    return (
        f"final, after congestion: {member}'s is now {final_value(game, name, member):.3g} "
        f"(the alliance's {getattr(game, name):.3g} is before it)"
    )
