"""Members' conditions at a profile, linearised: what the implicit function theorem needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.conditions import Role, Subject, derivatives
from alliancegame.payoff.form import Form
from alliancegame.payoff.slopes import Stage, sums
from alliancegame.solve.derivatives.inputs import NIL, Given, facts_of, form_of, seen

__all__ = ["Linear", "Mask", "form_of", "linearise", "rates_of"]

Mask = NDArray[np.bool_]

_EXPONENTS = ("rho", "m")
_ROWS = ("scale", "theta", "alpha", "private", "spillin", "umbrella", "bite", "demand", "weight")


@dataclasses.dataclass(frozen=True, eq=False)
class Linear:
    """A function of every member (condition or payoff) at a profile: value and derivatives.

    `value` has shape (n,), `burdens` (n, n): member first, then whose burden moves. `partial` has one
    array (n,) for each of `inputs.facts_of`, burdens held.
    """

    value: Array
    burdens: Array
    partial: Mapping[str, Array]

    def along(self, moves: Mapping[str, Array]) -> Array:
        """Derivatives in parameters that move what is seen, burdens held: (case, n) from `moved`."""
        total = np.zeros_like(next(iter(moves.values())))
        with np.errstate(all="ignore"):
            for name, move in moves.items():
                # What does not move counts for nothing, even where its derivative is not finite.
                total += np.where(move == 0, 0.0, self.partial[name] * move)
        return np.asarray(total)


def linearise(
    game: BurdenSharingGame,
    form: Form,
    values: Given,
    x: Array,
    below: Mask,
    of: Subject,
    *,
    exponents: bool = True,
) -> Linear:
    """Linearise all members' payoffs or conditions at burdens x, (n,).

    `below` says who is on the piece under its demand. Without `exponents` derivatives in them are left
    out.
    """
    n, lead = game.size, game.members.leader_index
    general = dataclasses.replace(form, summation=False, proportional=False)
    facts = {
        name: np.array(np.broadcast_to(value, (1, n))[0], dtype=np.float64)
        for name, value in seen(game, form, values, x, below).items()
    }
    names = facts_of(form)
    usual = tuple(name for name in names if name not in _EXPONENTS)
    found = {name: np.zeros(n) for name in ("value", "own", *names)}
    allies = np.flatnonzero(np.arange(n) != lead)
    guarded = facts | {name: np.maximum(facts[name], NIL) for name in ("spillin", "umbrella")}
    if not form.summation:
        facts = guarded
    roles: tuple[tuple[Role, NDArray[np.intp]], ...] = (
        ("ally", allies),
        ("leader", np.array([lead])),
    )
    passes = [(form, ("value", "own", *usual), facts)]
    passes += [(general, _EXPONENTS, guarded)] if exponents else []
    for role, who in roles:
        for shape, wanted, source in passes:
            with np.errstate(all="ignore"):
                made = derivatives(shape, role, of, wanted)(
                    {name: value[who] for name, value in source.items()}
                )
            for name, value in zip(wanted, made, strict=True):
                found[name][who] = value
    burdens = np.diag(found["own"])
    for name, rate in rates_of(game, form, facts, x).items():
        if found[name].any():
            burdens = burdens + np.outer(found[name], rate)
    return Linear(found["value"], burdens, {name: found[name] for name in names})


def rates_of(
    game: BurdenSharingGame, form: Form, facts: Mapping[str, Array], x: Array
) -> dict[str, Array]:
    """Derivatives in burdens, (n,) each, of what members depend on beside the own burden.

    Z, C and G; and of what the leader observes of every ally (`facts` has them from `inputs.seen`).
    """
    stage = Stage(
        form, game.members.leader_index, {name: facts[name] for name in _ROWS},
        float(facts["returned"][0]), game.substitution, game.decisiveness,
    )  # fmt: skip
    found = dict(zip("ZCG", sums(stage, x)[:, 1], strict=True))
    for name in ("revenue", "share", "share_x"):
        if f"{name} of each" in facts:
            found[name] = facts[f"{name} of each"]
    return found
