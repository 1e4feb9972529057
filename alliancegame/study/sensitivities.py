"""Derivatives of an equilibrium: how every burden answers to every parameter, exactly."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import (
    ConvergenceError,
    InvalidValueError,
    UnsupportedFormError,
    unknown_name,
)
from alliancegame.game.checks import shown
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.derivatives import inputs, moves
from alliancegame.solve.derivatives.directions import Point, collected, directional, point_at
from alliancegame.solve.derivatives.extremes import (
    directional_extremes,
    extreme_point,
    role_ended,
    torn_roles,
)
from alliancegame.solve.derivatives.implicit import Mask
from alliancegame.solve.derivatives.jumps import ended, torn
from alliancegame.solve.result import Equilibrium, Result

if TYPE_CHECKING:
    import pandas as pd

SETTLED = 1e15
"""Derivatives beyond this are infinite (a power below 1 of something that is 0)."""
NOTHING = 1e-50
"""Derivatives below this are 0: what stands for a burden of 0, or for a demand out of reach."""
APART = 1e-7
"""Left and right derivatives that differ by less, relative to the larger, are one."""

_CLOSED = "the parameter stands at the end of its range"
_SUDDEN = "long-run trust jumps there"
_NO_WAY = (
    "the conditions are singular there, or not exactly one move of those who sit on kinks agrees in "
    "its signs"
)
_TORN = (
    "{member} does as well by another burden, a jump away, and goes there: this equilibrium ends"
)

_KEY = re.compile(r"(\w+)(?:\[(.+)\])?")
_SIDES = ("left", "right")
_PLAN_LATEX = {"threat": r"\tau_i", "demand": "d_i", "tariff": "T_i", "burden": r"x_{\ell}"}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Sensitivities(Result):
    """How burdens and payoffs of an equilibrium answer to parameters.

    `keys` are parameters such as "gdp[DEU]" (one member's), "congestion" (a number of the game) or
    "decay" (one number for all members, where the game keeps it as one); `values` (key,) is where they
    stand. `burdens` and `payoffs` map "left" and "right" to one-sided derivatives of shape (member,
    key): burdens are shares of GDP, bn US$ the unit of GDP. They agree except at kinks. A side that the
    parameter cannot move to (a threat below 0) is nan, as is what has no derivative; infinite ones are
    infinite. `kinks` names the members whose kink makes sides differ. `reasons` maps each side to a text
    for each key: why there is no derivative, empty where there is one.
    """

    kind: ClassVar[str] = "sensitivities"

    equilibrium: Equilibrium
    keys: tuple[str, ...]
    values: Array
    burdens: Mapping[str, Array]
    payoffs: Mapping[str, Array]
    kinks: tuple[str, ...]
    reasons: Mapping[str, tuple[str, ...]]

    @property
    def game(self) -> BurdenSharingGame:
        """The game."""
        return self.equilibrium.game

    def headline(self) -> str:
        """One line that says what was found."""
        split = int((self.sides == "different").sum())
        where = (
            f"; left and right differ in {split} of them, by {', '.join(self.kinks)}"
            if split
            else ""
        )
        return (
            f"derivatives of {self.game.size} burdens in {len(self.keys)} parameters under "
            f"{self.equilibrium.plan.describe()}{where}"
        )

    @cached_property
    def sides(self) -> pd.Series[str]:
        """By key: "both" if left and right agree, "different", or the one side that there is."""
        import pandas as pd

        left, right = (np.vstack([self.burdens[side], self.payoffs[side]]) for side in _SIDES)
        words = []
        for a, b in zip(left.T, right.T, strict=True):
            has_left, has_right = not np.isnan(a).all(), not np.isnan(b).all()
            if has_left and has_right:
                words.append("both" if _agree(a, b) else "different")
            else:
                words.append("left" if has_left else "right" if has_right else "none")
        return pd.Series(words, index=pd.Index(self.keys, name="parameter"), name="sides")

    def side(self, side: str, *, payoffs: bool = False) -> pd.DataFrame:
        """One-sided derivatives as a table (member, parameter): "left" or "right"."""
        import pandas as pd

        if side not in _SIDES:
            raise unknown_name("side", side, _SIDES)
        table = self.payoffs if payoffs else self.burdens
        return pd.DataFrame(
            table[side],
            index=pd.Index(self.game.members.labels, name="member"),
            columns=pd.Index(self.keys, name="parameter"),
        )

    def to_frame(self) -> pd.DataFrame:
        """Derivatives of burdens, and of the leader's payoff in the last row; a column each parameter.

        Where left and right differ there are two columns, labelled so.
        """
        import pandas as pd

        lead = self.game.members.leader_index
        columns: dict[str, Array] = {}
        for j, (key, sides) in enumerate(self.sides.items()):

            def column(side: str, j: int = j) -> Array:
                return np.append(self.burdens[side][:, j], self.payoffs[side][lead, j])

            if sides == "different":
                columns[f"{key}, left"], columns[f"{key}, right"] = column("left"), column("right")
            else:
                columns[str(key)] = column("left" if sides == "left" else "right")
        index = [*self.game.members, f"payoff of {self.game.leader}"]
        frame = pd.DataFrame(columns, index=pd.Index(index, name="member"))
        return frame.rename_axis(columns="parameter")

    def elasticities(self) -> pd.DataFrame:
        """Per cent by which burdens change for one per cent of a parameter: (member, column)."""
        import pandas as pd

        table = self.to_frame().iloc[:-1]
        values = dict(zip(self.keys, self.values, strict=True))
        at = [values[str(column).split(", ")[0]] for column in table.columns]
        with np.errstate(all="ignore"):
            factors = np.array(at) / self.equilibrium.burdens[:, None]
            return pd.DataFrame(
                table.to_numpy() * factors, index=table.index, columns=table.columns
            )

    def to_latex(self, members: Iterable[str] | None = None) -> str:
        """The table as LaTeX (booktabs, longtable), a row for each parameter, with its symbol.

        `members` are the columns, by default all.
        """
        labels = list(self.game.members)
        chosen = labels if members is None else list(members)
        for label in chosen:
            if label not in labels:
                raise unknown_name("member", label, labels)
        frame = self.to_frame()
        rows = frame.loc[[*chosen, frame.index[-1]]].T
        rows.index = [_symbol(str(key)) for key in rows.index]
        rows.columns = [_escaped(str(column)) for column in rows.columns]
        return str(rows.to_latex(longtable=True, escape=False, float_format=lambda v: f"{v:.5g}"))

    def _shown(self) -> pd.DataFrame:
        return self.to_frame().T

    def _content(self) -> dict[str, Any]:
        return {
            "equilibrium": self.equilibrium._content(),
            "keys": list(self.keys),
            "values": self.values.tolist(),
            "burdens": {side: self.burdens[side].tolist() for side in _SIDES},
            "payoffs": {side: self.payoffs[side].tolist() for side in _SIDES},
            "kinks": list(self.kinks),
            "reasons": {side: list(self.reasons[side]) for side in _SIDES},
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        found = Equilibrium.from_content(content["equilibrium"])
        keys = tuple(content["keys"])

        def table(name: str) -> dict[str, Array]:
            sides = {
                side: np.array([[float(v) for v in row] for row in content[name][side]])
                for side in _SIDES
            }
            if any(a.shape != (found.game.size, len(keys)) for a in sides.values()):
                raise ValueError(f"{name} is not of shape (member, parameter)")
            return sides

        values = np.array([float(v) for v in content["values"]])
        told = content.get("reasons") or dict.fromkeys(_SIDES, [""] * len(keys))
        reasons = {side: tuple(map(str, told[side])) for side in _SIDES}
        if any(len(words) != len(keys) for words in reasons.values()):
            raise ValueError("reasons are not one for each parameter")
        return cls(
            found,
            keys,
            values,
            table("burdens"),
            table("payoffs"),
            tuple(content["kinks"]),
            reasons,
        )


def sensitivities(
    equilibrium: Equilibrium, parameters: Iterable[str] | str | None = None
) -> Sensitivities:
    """Exact derivatives of an equilibrium in every parameter of the game and the plan.

    By the implicit function theorem on the symbolic first-order conditions; through congestion and the
    trust law by complex steps, which round nothing off. Allies who bunch at their demand, and members
    at a bound, move with it; where they are just about to leave it, left and right derivatives differ
    and both are given. With trigger threats derivatives are those on the equilibrium's own compliance
    set; who is exactly indifferent between meeting its demand and not ends it on one side, where there
    is none, as does a best shot's indifferent champion. A weakest link that matches another's contribution
    moves with it; the end of a continuum moves with the member that stops there. Recalibrates nothing:
    other parameters stay. A spill-in or umbrella of one member is the final one, as in
    `game.replace(spillin={"FRA": 0.4})`.

    `parameters` picks some by name ("gdp") or key ("gdp[DEU]"); by default all that move this game: what
    belongs to other forms (`rival_pull` to a hub, `width` to a logistic shortfall, `deadweight` to a
    tariff) is absent.

    Raises `InvalidValueError` for anything but a verified equilibrium, `UnsupportedFormError` for one of
    credible threats, `UnknownNameError`, and `ConvergenceError` where the conditions are singular, so
    that the equilibrium has no derivative: at a fold, and inside a continuum (weakest links who match
    each other).
    """
    if not isinstance(equilibrium, Equilibrium):
        raise InvalidValueError(
            "sensitivities needs an equilibrium of an alliance game such as ag.solve_nash(game, plan), or "
            "the `response` of a Stackelberg result (a user's own game has action_sensitivities); got "
            f"{shown(equilibrium)}."
        )
    if equilibrium.certificate.verdict == "unverified":
        raise InvalidValueError(
            "sensitivities needs an equilibrium; this profile is unverified (its certificate says why)."
        )
    game, plan = equilibrium.game, equilibrium.plan
    if equilibrium.concept.startswith("credible"):
        raise UnsupportedFormError(
            "sensitivities is not written for equilibria of credible threats: the plan's threats are not "
            "all believed there. With the leader's burden in the plan, allies answer as in "
            'solve_nash(game.replace(credibility={"ALLY": 0}), plan), with 0 for every ally that is not '
            "carried out against: take that equilibrium."
        )
    keys = moves.keys_of(game, plan, parameters)
    made = _smooth if game.technology == "ces" else _limit
    loose, side_of = made(game, plan, equilibrium.burdens, keys)
    sudden = np.array([inputs.jumps(game, name) for name, _ in keys])
    burdens, payoffs, reasons = {}, {}, {}
    found = False
    for side, sign in zip(_SIDES, (-1.0, 1.0), strict=True):
        burdens[side], payoffs[side], ends = side_of(sign)
        none = np.isnan(burdens[side]).all(axis=0)
        found |= not none.all()
        why = np.where(none, _NO_WAY, "").astype(object)
        for member, keys_that_end in ends:
            why[keys_that_end & (why == "")] = _TORN.format(member=game.members[member])
        why[sudden] = _SUDDEN
        why[moves.closed(game, plan, keys, side)] = _CLOSED
        for table in (burdens[side], payoffs[side]):
            table[:, why != ""] = np.nan
            large = np.abs(table) > SETTLED
            table[large] = np.sign(table[large]) * np.inf
            table[np.abs(table) < NOTHING] = 0.0
        reasons[side] = tuple(str(word) for word in why)
    if not found:
        raise ConvergenceError(
            "this equilibrium has no derivatives: its conditions are singular there (a fold, where "
            "equilibria appear or vanish, or a continuum of equilibria)."
        )
    return Sensitivities(
        equilibrium,
        tuple(moves.text(game, key) for key in keys),
        np.array([moves.value_of(game, plan, key) for key in keys]),
        burdens,
        payoffs,
        tuple(game.members[i] for i in loose),
        reasons,
    )


Side = tuple[Array, Array, list[tuple[int, Mask]]]
"""Derivatives of burdens and payoffs, (n, key); whose indifference ends the equilibrium, for which keys."""


def _smooth(
    game: BurdenSharingGame, plan: Plan, x: Array, keys: Sequence[moves.Key]
) -> tuple[tuple[int, ...], Callable[[float], Side]]:
    """Who sits unheld, and derivatives by direction: security is a sum of powers."""
    point = point_at(game, plan, x)
    made = moves.moves_of(point, keys)
    undecided = torn(point)

    def side_of(sign: float) -> Side:
        burdens = directional(point, made.conditions, made.pins, sign)
        payoffs = _payoffs(point, made, burdens, sign)
        ends = [
            (one.member, ended(point, one, keys, made, burdens, payoffs, sign)) for one in undecided
        ]
        return burdens, payoffs, ends

    return point.loose, side_of


def _limit(
    game: BurdenSharingGame, plan: Plan, x: Array, keys: Sequence[moves.Key]
) -> tuple[tuple[int, ...], Callable[[float], Side]]:
    """The same where security is the smallest or the largest component."""
    point = extreme_point(game, plan, x, keys)
    undecided = torn_roles(point)

    def side_of(sign: float) -> Side:
        burdens, payoffs = directional_extremes(point, sign)
        ends = [(one[0], role_ended(point, one, burdens, payoffs, sign)) for one in undecided]
        return burdens, payoffs, ends

    return point.loose, side_of


def _payoffs(point: Point, made: moves.Moves, burdens: Array, sign: float) -> Array:
    """Derivatives of payoffs, (n, key): what parameters do themselves, and what burdens do.

    Who moves off its demand is on the piece to which it moves.
    """
    over, under = (
        direct + linear.burdens @ burdens
        for linear, direct in zip(
            (point.payoff_over, point.payoff_under), made.payoffs, strict=True
        )
    )
    missed = burdens - made.pins["demand"]
    downwards = point.kinked[:, None] & (missed * sign < 0)
    lead = point.lead
    revenue = collected(point.payoff_over, point.payoff_under, lead, point.kinked)
    under[lead] = over[lead]
    found: Array = np.where(downwards, under, over)
    found[lead] += revenue @ np.where(downwards, missed, 0.0)
    # A weight that begins to count at a burden of 0 brings h ln h, whose slope is infinite.
    found[made.begins] = -np.inf
    return found


def _agree(left: Array, right: Array) -> bool:
    """Whether two columns of derivatives are one, to rounding; nan agrees with nan."""
    size = max(np.abs(np.nan_to_num(left, posinf=0, neginf=0)).max(initial=0.0), 1e-12)
    return bool(np.allclose(left, right, rtol=APART, atol=APART * size, equal_nan=True))


def _symbol(key: str) -> str:
    """A key in LaTeX: the parameter's symbol with the member in place of i."""
    name, _, side = key.partition(", ")
    match = _KEY.fullmatch(name)
    if match is None:
        return _escaped(key)
    symbol = _PLAN_LATEX.get(match[1]) or PARAMETERS[match[1]].latex
    if match[2]:
        whose = rf"\mathrm{{{_escaped(match[2])}}}"
        if symbol.endswith("_i"):
            symbol = f"{symbol[:-1]}{{{whose}}}"
        else:
            symbol = symbol.replace("_i", f"_{{{whose}}}", 1)
    return f"${symbol}$" + (f" ({side})" if side else "")


def _escaped(label: str) -> str:
    """Text as LaTeX has it."""
    return re.sub(r"([#$%&_{}])", r"\\\1", label)
