"""Members' conditions at a profile, linearised: what the implicit function theorem needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.checks import check_plain_forms
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.conditions import Role, Subject, derivatives
from alliancegame.payoff.form import Form
from alliancegame.payoff.slopes import Stage, aggregates
from alliancegame.solve.derivatives.inputs import NIL, SEEN, TINY, Given, seen

Mask = NDArray[np.bool_]

_EXPONENTS = ("rho", "m")
_PLAIN = tuple(name for name in SEEN if name not in _EXPONENTS)
_ROWS = ("scale", "theta", "alpha", "private", "spillin", "umbrella", "bite", "demand", "weight")


@dataclasses.dataclass(frozen=True, eq=False)
class Linear:
    """A function of every member (condition or payoff) at a profile: value and derivatives.

    `value` has shape (n,), `burdens` (n, n): member first, then whose burden moves. `partial` has one
    array (n,) for each of `SEEN`, burdens held.
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


def form_of(game: BurdenSharingGame) -> Form:
    """The functional forms that shape the game's expressions. Raises beyond the plain ones."""
    check_plain_forms(game, "derivatives of equilibria", convex=False)
    return Form(
        game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1
    )


def linearise(game: BurdenSharingGame, values: Given, x: Array, below: Mask, of: Subject) -> Linear:
    """Linearise all members' payoffs or conditions at burdens x, (n,).

    `below` says who is on the piece under its demand.
    """
    n, lead = game.size, game.members.leader_index
    form = form_of(game)
    general = dataclasses.replace(form, summation=False, proportional=False)
    facts = {
        name: np.array(np.broadcast_to(value, (1, n))[0], dtype=np.float64)
        for name, value in seen(game, values, x).items()
    }
    facts["below"] = below.astype(np.float64)
    found = {name: np.zeros(n) for name in ("value", "own", *SEEN)}
    allies = np.flatnonzero(np.arange(n) != lead)
    guarded = facts | {name: np.maximum(facts[name], NIL) for name in ("spillin", "umbrella")}
    if not form.summation:
        facts = guarded
    roles: tuple[tuple[Role, NDArray[np.intp]], ...] = (
        ("ally", allies),
        ("leader", np.array([lead])),
    )
    for role, who in roles:
        for shape, names, source in (
            (form, ("value", "own", *_PLAIN), facts),
            (general, _EXPONENTS, guarded),
        ):
            with np.errstate(all="ignore"):
                made = derivatives(shape, role, of, names)(
                    {name: value[who] for name, value in source.items()}
                )
            for name, value in zip(names, made, strict=True):
                found[name][who] = value
    rates = rates_of(game, facts, x)
    burdens = np.diag(found["own"])
    for name, rate in zip("ZCG", rates, strict=True):
        burdens = burdens + np.outer(found[name], rate)
    return Linear(found["value"], burdens, {name: found[name] for name in SEEN})


def rates_of(game: BurdenSharingGame, facts: Mapping[str, Array], x: Array) -> Array:
    """Derivatives of Z, C and G in burdens, (3, n)."""
    stage = Stage(
        form_of(game), game.members.leader_index, {name: facts[name] for name in _ROWS},
        float(facts["returned"][0]), game.substitution, game.decisiveness,
    )  # fmt: skip
    return aggregates(stage, np.maximum(x, TINY)).first
