"""Calibration: the weights at which observed burdens are an equilibrium (docs/howto/calibrate)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.errors import CalibrationError, unknown_name
from alliancegame.game.checks import check_game
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.spec import WEIGHTS
from alliancegame.solve import aggregative
from alliancegame.solve.trigger.sides import without_jumps

if TYPE_CHECKING:
    import pandas as pd


def calibrate(
    game: BurdenSharingGame,
    observed: Any,
    *,
    free: str = "security_weight",
) -> BurdenSharingGame:
    """The game whose `free` weights make `observed` burdens its Nash equilibrium without pressure.

    The first-order conditions identify, per member, one weight given the others; they are linear in
    it, so this is a closed form. `observed` is a dict or Series by member or an array of shape (n,),
    shares of GDP strictly inside the bounds.

    Raises `CalibrationError` for negative weights, naming the members and the admissible range, and
    `InvalidValueError` for burdens outside their bounds.
    """
    check_game(game, "calibrate")
    if free not in WEIGHTS:
        raise unknown_name("free weight", free, WEIGHTS)
    burdens = _interior(game, observed)
    parts = marginals(game, burdens)
    weights = np.array([game.by_member(name) for name in WEIGHTS])
    k = WEIGHTS.index(free)
    rest = parts.cost - sum(weights[j] * parts.worth[j] for j in range(3) if j != k)
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.where(parts.worth[k] > 0, rest / parts.worth[k], np.nan)
    _refuse(game, free, implied, rest, parts, weights)
    return BurdenSharingGame(
        list(game.members),
        game.leader,
        provenance=_provenance(game, free, burdens),
        **{**game.values(), free: implied},
    )


@dataclasses.dataclass(frozen=True)
class Marginals:
    """At a profile: marginal cost of the own burden, and the marginal worth of each unit of weight.

    `cost` has shape (n,), `worth` (3, n) in the order of WEIGHTS.
    """

    cost: Array
    worth: Array


def marginals(game: BurdenSharingGame, burdens: Array) -> Marginals:
    """The terms of the first-order conditions, each by itself, from the kernels' own derivatives."""
    unit = np.eye(3)
    game = without_jumps(game)
    cost = -aggregative.marginal_payoffs(game, burdens, weights=(0.0, 0.0, 0.0))
    worth = [aggregative.marginal_payoffs(game, burdens, weights=unit[k]) + cost for k in range(3)]
    return Marginals(cost, np.array(worth))


def identified_set(game: BurdenSharingGame, observed: Any) -> pd.DataFrame:
    """What observed burdens identify: for each member, the range of each weight given the others.

    Levels alone identify one weight per member given the other two. The table has, by member, the
    implied `security_weight` at the game's other weights, and the largest influence and private
    weights that are compatible with security_weight >= 0 (given the other one). For small allies
    p_i is near 0 and levels identify only private + influence * decisiveness: `sum_bound`.
    Source: docs/howto/calibrate.
    """
    import pandas as pd

    check_game(game, "identified_set")
    burdens = _interior(game, observed)
    parts = marginals(game, burdens)
    _, alpha, private = (game.by_member(name) for name in WEIGHTS)
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = (parts.cost - alpha * parts.worth[1] - private * parts.worth[2]) / parts.worth[0]
        columns = {
            "burden": burdens,
            "security_weight": implied,
            "security_weight_max": parts.cost / parts.worth[0],
            "influence_weight": alpha,
            "influence_weight_max": (parts.cost - private * parts.worth[2]) / parts.worth[1],
            "private_weight": private,
            "private_weight_max": (parts.cost - alpha * parts.worth[1]) / parts.worth[2],
            "sum_bound": parts.cost / parts.worth[2],
        }
    return pd.DataFrame(columns, index=pd.Index(game.members.labels, name="member"))


def _interior(game: BurdenSharingGame, observed: Any) -> Array:
    burdens = aggregative.checked_profile(game, observed, "observed burden")
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    edge = np.flatnonzero((burdens <= low) | (burdens >= high))
    if edge.size:
        i = edge[0]
        raise CalibrationError(
            f"observed burden of {game.members[i]} is {burdens[i]:g}, at its bounds [{low[i]:g}, "
            f"{high[i]:g}]: a burden at a bound identifies no weight; widen the bounds or leave the "
            "member out."
        )
    return burdens


def _refuse(
    game: BurdenSharingGame,
    free: str,
    implied: Array,
    rest: Array,
    parts: Marginals,
    weights: Array,
) -> None:
    bad = np.flatnonzero(~(implied >= 0))
    if not bad.size:
        return
    others = [j for j, name in enumerate(WEIGHTS) if name != free]
    lines = []
    for i in bad[:8]:
        if not parts.worth[WEIGHTS.index(free)][i] > 0:
            lines.append(f"{game.members[i]} (its {free} changes nothing)")
            continue
        limits = []
        for j in others:
            left = rest[i] + weights[j][i] * parts.worth[j][i]
            if parts.worth[j][i] > 0:
                limits.append(
                    f"{WEIGHTS[j]} at most {left / parts.worth[j][i]:.5g}" if left >= 0 else ""
                )
        repairs = [text for text in limits if text]
        names = [WEIGHTS[j] for j in others if weights[j][i] > 0]
        cure = " or ".join(repairs) or _none_alone(names)
        lines.append(f"{game.members[i]} ({free} would be {implied[i]:.4g}; {cure})")
    more = f" and {len(bad) - 8} more" if len(bad) > 8 else ""
    raise CalibrationError(
        f"observed burdens imply a negative {free} for\n  "
        + ";\n  ".join(lines)
        + f"{more}.\nThese members spend less than their other benefits alone would justify: lower "
        "those weights for them."
    )


def _none_alone(names: list[str]) -> str:
    """What to do where no other weight repairs a member by itself."""
    if len(names) > 1:
        return f"neither {' nor '.join(names)} alone can repair it; lower both"
    return f"lower {names[0]}" if names else "no other weight can repair it"


def _provenance(game: BurdenSharingGame, free: str, burdens: Array) -> dict[str, Any]:
    """What was calibrated is recorded as such, not as a replacement."""
    provenance = dict(game.provenance)
    names = [name for name in provenance.get("calibrated", []) if name != free]
    provenance["calibrated"] = [*names, free]
    replaced = {k: v for k, v in provenance.get("replaced", {}).items() if k != free}
    provenance["replaced"] = replaced
    provenance["history"] = [*provenance.get("history", []), {"calibrated": free}]
    provenance["observed_burden"] = dict(zip(game.members, burdens.tolist(), strict=True))
    return provenance
