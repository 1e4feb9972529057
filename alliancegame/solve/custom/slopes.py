"""How equilibrium actions move with parameters: the implicit function theorem on what is free."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import sympy as sp

from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.checks import shown
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.expressions import symbol
from alliancegame.game.parameters import Array
from alliancegame.payoff.custom import compiled, numeric
from alliancegame.payoff.lines import derivative
from alliancegame.payoff.sums import compiled_sums
from alliancegame.solve.custom.profile import ActionProfile
from alliancegame.solve.result import Result, numbers

if TYPE_CHECKING:
    import pandas as pd

AT_END = 1e-9
"""An action within this share of its range of a bound or knot stands there."""

STRICT = 1e-9
"""A marginal payoff below this holds nobody at a bound."""

MOST_CONDITION = 1e12
"""Systems with a larger condition number count as singular."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ActionSensitivities(Result):
    """d action / d parameter at an equilibrium of a user's own game.

    `slopes` has shape (actions, parameters); columns are parameters, for a parameter by player of an
    `AggregativeGame` one for each player ("theta of 2"). Actions at a bound or knot that nothing
    pushes away from it do not move: `held` says which. `sided` says which of them stand there with no
    marginal payoff to hold them: they would move in one direction of the parameter only, and zero is
    the other side's slope.
    """

    kind: ClassVar[str] = "action-sensitivities"

    actions: tuple[str, ...]
    parameters: tuple[str, ...]
    slopes: Array
    held: tuple[bool, ...]
    sided: tuple[bool, ...]

    def headline(self) -> str:
        """One line that says what was found."""
        flat = np.abs(self.slopes)
        i, j = np.unravel_index(int(np.argmax(flat)), flat.shape)
        return (
            f"{len(self.actions)} actions and {len(self.parameters)} parameters; the largest is "
            f"d {self.actions[i]} / d {self.parameters[j]} = {self.slopes[i, j]:.5g}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each action, a column for each parameter."""
        import pandas as pd

        index = pd.Index(self.actions, name="action")
        return pd.DataFrame(self.slopes, index=index, columns=list(self.parameters))

    def _content(self) -> dict[str, Any]:
        return {
            "actions": list(self.actions),
            "parameters": list(self.parameters),
            "slopes": self.slopes.tolist(),
            "held": list(self.held),
            "sided": list(self.sided),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the table from its plain values."""
        return cls(
            tuple(content["actions"]),
            tuple(content["parameters"]),
            np.array([numbers(row) for row in content["slopes"]]),
            tuple(content["held"]),
            tuple(content["sided"]),
        )


def action_sensitivities(equilibrium: ActionProfile) -> ActionSensitivities:
    """D action / d parameter at an equilibrium, by the implicit function theorem, exact derivatives.

    Free actions keep their marginal payoffs at zero; actions at bounds or knots stay. Raises
    `InvalidValueError` for anything but an equilibrium of a user's own game with parameters, and
    `UnsupportedFormError` where the conditions are singular, as in a continuum of equilibria.
    """
    if not isinstance(equilibrium, ActionProfile):
        raise InvalidValueError(
            "action_sensitivities needs an equilibrium of a ContinuousGame or an AggregativeGame, such as "
            f"ag.solve_nash(game) gives, got {shown(equilibrium)}."
        )
    if equilibrium.certificate.verdict == "unverified":
        raise InvalidValueError(
            "action_sensitivities needs an equilibrium; this profile is unverified."
        )
    game = equilibrium.game
    if not game.parameters:
        raise InvalidValueError(
            "the game has no parameters: write the numbers that may change as symbols."
        )
    if isinstance(game, AggregativeGame):
        return _of_sums(game, equilibrium.actions)
    return _of_actions(game, equilibrium.actions)


def _of_actions(game: ContinuousGame, x: Array) -> ActionSensitivities:
    functions = compiled(game)
    names = list(game.parameters)
    symbols = (*game.symbols, *(symbol(n) for n in names))
    at = np.array([*x, *(game.parameters[n] for n in names)])[None, :]
    marginals = [
        derivative(game.payoffs[game.players[i]], s)
        for i, s in zip(game.owner, game.symbols, strict=True)
    ]
    cross = [sp.diff(f, symbol(n)) for f in marginals for n in names]
    moved = numeric(symbols, cross)(at).reshape(x.size, len(names))
    f = functions.marginal_at(x[None, :])[0]
    j = functions.jacobian_at(x[None, :])[0]
    ends = [np.array(functions.ends(k)) for k in range(x.size)]
    held, sided = _held(x, f, ends, game.high - game.low)
    matrix = np.where(held[:, None], np.eye(x.size), j)
    slopes = _solved(matrix, -np.where(held[:, None], 0.0, moved))
    return ActionSensitivities(
        tuple(a.name for a in game.every_action),
        tuple(names),
        slopes,
        tuple(held.tolist()),
        tuple(sided.tolist()),
    )


def _of_sums(game: AggregativeGame, x: Array) -> ActionSensitivities:
    """Diagonal plus low rank again: one small system for all parameters."""
    functions = compiled_sums(game)
    f, own, cross, rates = functions.newton_terms(x)
    ends = [
        np.array([a, *k, b]) for a, k, b in zip(game.low, functions.knots, game.high, strict=True)
    ]
    held, sided = _held(x, f, ends, game.high - game.low)
    own = np.where(held, -1.0, own)
    columns, names = [], []
    sums = functions.totals(x)
    for name in game.parameters:
        p = symbol(name)
        direct, *shifts = _partials(functions, p, x, sums)
        by_player = np.ndim(game.parameters[name]) > 0
        for which in range(game.size) if by_player else [slice(None)]:
            push = np.zeros(game.size)
            push[which] = direct[which]
            jump = [float(np.sum(s[which])) for s in shifts]
            columns.append(_column(own, cross, rates, held, push, jump))
            names.append(f"{name} of {game.players[which]}" if by_player else name)
    return ActionSensitivities(
        tuple(f"{game.action} of {p}" for p in game.players), tuple(names), np.array(columns).T,
        tuple(held.tolist()), tuple(sided.tolist()),
    )  # fmt: skip


def _partials(functions: Any, p: Any, x: Array, sums: Any) -> list[Array]:
    """Derivatives of F and of each a_k in a parameter, actions and sums held."""
    symbols = [functions.game.symbol, *functions.sums, *functions.parameters]
    made = sp.lambdify(
        symbols, [sp.diff(e, p) for e in (functions.marginal, *functions.rules)], "numpy"
    )
    with np.errstate(all="ignore"):
        values = made(x, *sums, *functions.given)
    return [np.broadcast_to(np.asarray(v, dtype=float), x.shape) for v in values]


def _column(
    own: Array, cross: list[Array], rates: list[Array], held: Any, push: Array, jump: list[float]
) -> Array:
    """Own d + cross dZ = -push on free actions, dZ_k = jump_k + sum of rate_k d."""
    free = ~held
    if np.any(own[free] == 0):  # Nothing to divide by: the whole system at once.
        whole = np.diag(own) + np.where(free, 1.0, 0.0)[:, None] * sum(
            np.outer(c, np.where(free, r, 0.0)) for c, r in zip(cross, rates, strict=True)
        )
        bent = push + sum(c * k for c, k in zip(cross, jump, strict=True))
        return _solved(whole, -np.where(held, 0.0, bent))
    size = len(cross)
    matrix, right = np.eye(size), np.array(jump)
    for k in range(size):
        along = np.where(held, 0.0, rates[k] / own)
        right[k] -= np.sum(np.where(held, 0.0, along * push))
        for m in range(size):
            matrix[k, m] += np.sum(np.where(held, 0.0, along * cross[m]))
    dz = _solved(matrix, right)
    bent = push + sum(c * z for c, z in zip(cross, dz, strict=True))
    return np.where(held, 0.0, -bent / own)


def _held(x: Array, f: Array, ends: list[Array], span: Array) -> tuple[Any, Any]:
    """Which actions stand at a bound or knot, and which of those nothing holds there."""
    held = np.array(
        [bool(np.any(np.abs(e - v) <= AT_END * s)) for e, v, s in zip(ends, x, span, strict=True)]
    )
    edge = np.array([v in (e[0], e[-1]) for e, v in zip(ends, x, strict=True)])
    return held, held & edge & (np.abs(f) <= STRICT)


def _solved(matrix: Array, right: Array) -> Array:
    try:
        made = np.linalg.solve(matrix, right)
        if np.linalg.cond(matrix) > MOST_CONDITION:
            made = np.full(right.shape, np.nan)
    except np.linalg.LinAlgError:
        made = np.full(right.shape, np.nan)
    if not np.isfinite(made).all():
        raise UnsupportedFormError(
            "the conditions of this equilibrium are singular, so that it has no derivatives: it may be "
            "one of a continuum."
        )
    return np.asarray(made)
