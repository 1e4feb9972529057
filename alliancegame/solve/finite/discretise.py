"""From the alliance model to a matrix: the leader's plans against blocs of allies that share a burden."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import ConvergenceError, GameTooLargeError, InvalidValueError, unknown_name
from alliancegame.game.checks import check_choice, check_game, check_smooth, listed, shown
from alliancegame.game.finite import FiniteGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, measures
from alliancegame.solve.nash import status_quo

MOST_CELLS = 10**6
UNITS = ("payoff", "usd_bn")
STATUS_QUO = "status quo"
_CHUNK = 200_000


@dataclasses.dataclass(frozen=True, eq=False)
class _Bloc:
    """Allies that choose together: their places, and by strategy the burden of each of them."""

    name: str
    members: NDArray[np.intp]
    labels: tuple[str, ...]
    burdens: Array  # (strategy, member of the bloc)


def discretise(
    game: BurdenSharingGame,
    plans: Sequence[Plan] | Mapping[str, Plan],
    burdens: Any,
    players: Mapping[str, Sequence[str]] | None = None,
    *,
    units: str = "payoff",
) -> FiniteGame:
    """The alliance model on a grid: a finite game of the leader and one or several blocs of allies.

    The leader's strategies are `plans`, a list or a dict {label: Plan}; a plan that names no burden
    leaves the leader's own at what it is at A, the equilibrium without pressure. A bloc's strategies
    are `burdens`, a list or a dict {label: burden}: a share of GDP that all its members spend, a dict
    or Series by ally, a solved equilibrium (whose burdens they spend), or "status quo" (what each
    spends at A). `burdens` may also be {bloc: list or dict}. `players` maps blocs to their members and is
    {"allies": all of them} by default; allies in no bloc spend what they do at A.

    Payoffs are those of the model at the profile, trust being what the plan leaves of it. `units`
    "payoff" keeps the leader's payoff, and a bloc's is the GDP-weighted mean of its members'.
    "usd_bn" gives differences from A in bn US$ a year, each member's payoff difference being worth
    its consumption at A, and a bloc's the sum: an affine change of the leader's payoffs, and of each
    member's.

    Raises `GameTooLargeError` beyond 10^6 cells, `InvalidValueError` or `UnknownNameError` for what
    the model does not admit, and `ConvergenceError` where a payoff is not finite.

    >>> import alliancegame as ag
    >>> game = ag.load_model("three-allies")
    >>> grid = discretise(game, [ag.Plan(), ag.Plan(threat=0.5)], [0.01, 0.02, 0.03])
    >>> grid.shape, grid.players
    ((2, 3), ('Leader', 'allies'))
    """
    check_game(game, "discretise")
    check_smooth(game, "discretise")
    check_choice(units, "units", UNITS)
    base = status_quo(game).burdens
    announced = _labelled(plans, "plans", _plan_label)
    for plan in announced.values():
        if not isinstance(plan, Plan):
            raise InvalidValueError(f"plans must be Plan objects, got {plan!r}.")
        aggregative.check_plan(game, plan)
    blocs = [_bloc(game, name, labels, burdens, base) for name, labels in _players(game, players)]
    shape = (len(announced), *(len(b.labels) for b in blocs))
    if math.prod(shape) > MOST_CELLS:
        raise GameTooLargeError(
            f"{' x '.join(map(str, shape))} = {math.prod(shape):,} cells are more than the limit of "
            f"{MOST_CELLS:,}: use a coarser grid or fewer blocs."
        )
    payoffs = _payoffs(game, list(announced.values()), blocs, base, shape)
    lead = game.members.leader_index
    at_a = status_quo(game).payoffs
    gdp = game.by_member("gdp")
    worth = measures.payoff_worth(game, base)
    sides = []
    for members in (np.array([lead]), *(b.members for b in blocs)):
        own = payoffs[:, members]
        if units == "usd_bn":
            value = (own - at_a[members]) @ worth[members]
        else:
            value = own @ (gdp[members] / gdp[members].sum())
        sides.append(value.reshape(shape))
    return FiniteGame(
        sides,
        (game.leader, *(b.name for b in blocs)),
        (tuple(announced), *(b.labels for b in blocs)),
        title=str(game.provenance.get("model", "")),
        provenance={
            "game_hash": game.hash,
            "model": game.provenance.get("model", ""),
            "units": units,
            "plans": {label: plan.to_dict() for label, plan in announced.items()},
            "blocs": {b.name: [game.members[i] for i in b.members] for b in blocs},
        },
    )


def _payoffs(
    game: BurdenSharingGame,
    plans: list[Plan],
    blocs: list[_Bloc],
    base: Array,
    shape: tuple[int, ...],
) -> Array:
    """Every member's payoff in every cell, shape (cells, members).

    The engine solves scenarios in which everybody's bounds are its burden: it then only evaluates.
    """
    count, lead = math.prod(shape), game.members.leader_index
    threats = np.array([p.threat_by_member(game.members) for p in plans])
    demands = np.array([p.demand_by_member(game.members) for p in plans])
    tariffs = np.array([p.tariff_by_member(game.members) for p in plans])
    own = np.array([base[lead] if p.burden is None else p.burden for p in plans])
    made = np.empty((count, game.size))
    for start in range(0, count, _CHUNK):
        chosen = np.unravel_index(np.arange(start, min(start + _CHUNK, count)), shape)
        profile = np.tile(base, (len(chosen[0]), 1))
        profile[:, lead] = own[chosen[0]]
        for bloc, strategy in zip(blocs, chosen[1:], strict=True):
            profile[:, bloc.members] = bloc.burdens[strategy]
        fixed: dict[str | tuple[str, str], Array] = {
            (bound, member): profile[:, i]
            for i, member in enumerate(game.members)
            for bound in ("burden_min", "burden_max")
        }
        batch = aggregative.solve_plans(
            game, threats[chosen[0]], demands[chosen[0]], profile[:, lead], whole=True, warm=False,
            tariffs=tariffs[chosen[0]],
            changes=fixed,
        )  # fmt: skip
        bad = np.flatnonzero(
            (batch.column("status") > aggregative.SAFEGUARD)
            | ~np.isfinite(batch.payoff).all(axis=1)
        )
        if bad.size:
            plan = plans[int(chosen[0][bad[0]])]
            raise ConvergenceError(
                f"payoffs are not finite under {plan.describe()} where the blocs spend "
                + ", ".join(
                    f"{b.labels[int(s[bad[0]])]}" for b, s in zip(blocs, chosen[1:], strict=True)
                )
                + ": trust has gone, or somebody has no security or influence. Leave out burdens of "
                "zero, or lower the threat."
            )
        made[start : start + len(profile)] = batch.payoff
    return made


# --- Reading -------------------------------------------------------------------------------------


def _players(game: BurdenSharingGame, players: Any) -> list[tuple[str, list[str]]]:
    if players is None:
        return [("allies", list(game.allies))]
    if not isinstance(players, Mapping) or not players:
        raise InvalidValueError(f"players must be a dict {{bloc: [allies]}}, got {players!r}.")
    seen: dict[str, str] = {}
    made = []
    for name, members in players.items():
        if not isinstance(name, str) or not name.strip():
            raise InvalidValueError(f"a bloc's name must be text, got {shown(name)}.")
        own = [members] if isinstance(members, str) else listed(members, f"bloc {name!r}", "allies")
        if not own:
            raise InvalidValueError(f"bloc {name!r} has no members.")
        for member in own:
            if not isinstance(member, str):
                raise unknown_name("ally", shown(member), game.allies, f" in bloc {name!r}")
            if member == game.leader:
                raise InvalidValueError(
                    f"bloc {name!r} names the leader {member}: blocs are of allies."
                )
            if member not in game.allies:
                raise unknown_name("ally", member, game.allies, f" in bloc {name!r}")
            if member in seen:
                raise InvalidValueError(f"{member} is in bloc {seen[member]!r} and in {name!r}.")
            seen[member] = name
        made.append((name, own))
    return made


def _labelled(values: Any, what: str, label: Any) -> dict[str, Any]:
    """A list or dict of strategies as a dict by label."""
    if isinstance(values, Mapping):
        made = {str(k): v for k, v in values.items()}
    else:
        made = {}
        for value in listed(values, what, "strategies, or a dict by label"):
            name = label(value)
            if name in made:
                raise InvalidValueError(
                    f"two {what} have the label {name!r}: give a dict {{label: ...}} to tell them apart."
                )
            made[name] = value
    if not made:
        raise InvalidValueError(f"{what} must not be empty.")
    return made


def _plan_label(plan: Any) -> str:
    return plan.describe() if isinstance(plan, Plan) else str(plan)


def _burden_label(burden: Any) -> str:
    if isinstance(burden, str):
        return burden
    if not isinstance(burden, (int, float, np.number)):
        raise InvalidValueError(
            f"burdens that are no numbers need labels: give a dict {{label: burden}}; got {burden!r}."
        )
    return f"{as_number(burden, 'burden') * 100:.6g} %"


def _bloc(
    game: BurdenSharingGame, name: str, members: list[str], burdens: Any, base: Array
) -> _Bloc:
    if isinstance(burdens, Mapping) and name in burdens:
        burdens = burdens[name]
    spent = _labelled(burdens, f"burdens of {name}", _burden_label)
    places = np.array([game.members.index_of(m) for m in members])
    rows = [_burden_row(game, value, places, base, name) for value in spent.values()]
    return _Bloc(name, places, tuple(spent), np.array(rows))


def _burden_row(
    game: BurdenSharingGame, value: Any, places: NDArray[np.intp], base: Array, bloc: str
) -> Array:
    """What each member of the bloc spends under one strategy, within its bounds."""
    if isinstance(value, str):
        if value != STATUS_QUO:
            raise unknown_name("burden", value, (STATUS_QUO,), f" of {bloc}")
        return base[places]
    if hasattr(value, "burdens"):
        value = value.burdens
    if hasattr(value, "to_dict") and hasattr(value, "index"):
        value = value.to_dict()
    if isinstance(value, Mapping):
        given = dict(zip(game.members, base.tolist(), strict=True))
        for member, burden in value.items():
            if member not in given:
                raise unknown_name("member", member, game.members, f" in burdens of {bloc}")
            given[member] = burden
        value = given
    checked = aggregative.checked_profile(
        game, _spread(game, value, places, base), f"burden ({bloc})"
    )
    return checked[places]


def _spread(game: BurdenSharingGame, value: Any, places: NDArray[np.intp], base: Array) -> Any:
    """One number for the bloc, with A's burdens for everybody else."""
    if isinstance(value, (int, float, np.number)):
        profile = base.copy()
        profile[places] = as_number(value, "burden")
        return profile
    return value
