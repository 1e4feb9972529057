"""Bad calls of finite and cooperative games: an error of ours that names the value and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError

PD = ag.FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
CG = ag.CoalitionGame(lambda s: len(s) ** 2, [1, 2, 3])
THREE = ag.load_model("three-allies")
PLAN = ag.Plan(threat=0.5)
HUGE = 10**400
ODD: tuple[Any, ...] = (
    None, 5, 2.5, float("nan"), float("inf"), "x", b"x", [], {}, [[]], [None], {"x": 5}, {1, 2}, 1j,
    True, HUGE, object(), np.array(None), np.zeros(3), float, [[1], [2]],
)  # fmt: skip


def refused(call: Callable[[], Any], *words: str) -> None:
    with pytest.raises(AllianceGameError) as caught:
        call()
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ag.FiniteGame([[[HUGE, 1]], [[1, 1]]]), ("(0, 0)", "at most 1e+100", "1e400")),
        (
            lambda: ag.FiniteGame([[["1e400", 1]], [[1, 1]]]),
            ("player 1 at (0, 0)", "finite", "inf"),
        ),
        (lambda: ag.FiniteGame([[["1e999999999", 1]], [[1, 1]]]), ("finite",)),
        (lambda: ag.FiniteGame([[["1e-999999999", 1]], [[1, 1]]]), ("too small", "unit")),
        (lambda: ag.FiniteGame([[[1e308, -1e308]], [[1, 1]]]), ("at most 1e+100", "larger unit")),
        (lambda: ag.FiniteGame([5, 6, 7]), ("player 1", "array", "5")),
        (lambda: ag.FiniteGame(PD.payoffs, title=5), ("title", "text", "5")),
        (lambda: ag.FiniteGame(PD.payoffs, provenance=5), ("provenance", "dict", "5")),
        (lambda: ag.FiniteGame.from_nfg(5), ("5", "path of a .nfg file")),
        (lambda: PD.to_nfg(5.5), ("5.5", "written")),
        (lambda: PD.rounded("a"), ("places", "0 to 9", "'a'")),
        (lambda: ag.FiniteGame.from_dict({}), ("players, strategies and payoffs", "{}")),
        (
            lambda: ag.FiniteGame.from_dict(PD.to_dict() | {"payoffs": [[1], [1]]}),
            ("4 numbers", "1"),
        ),
        (lambda: PD.restrict([[0, 0], [1]]), ("each once", "[0, 0]")),
        (lambda: PD.restrict([[0], [2]]), ("from 0 to 1", "2")),
        (lambda: PD.entry(0, (5, 5)), ("(2, 2)", "(5, 5)")),
        (lambda: PD.to_frame(digits=-1), ("digits", "1 to 17", "-1")),
        (lambda: ag.solve_commitment(types=5), ("types", "pairs", "5")),
        (lambda: ag.solve_commitment(types=[PD]), ("type 1", "pairs", "FiniteGame")),
        (lambda: ag.solve_commitment(PD, tolerances=5), ("ag.Tolerances", "5")),
        (lambda: ag.solve_correlated(PD, [[1, 2], [3, HUGE]]), ("objective", "shape (2, 2)")),
        (lambda: ag.solve_correlated(PD, coarse="no"), ("coarse", "True or False", "'no'")),
        (lambda: ag.eliminate_dominated(PD, strict="no"), ("strict", "True or False")),
        (lambda: ag.find_equilibria(PD, method=5), ("method", "complete", "5")),
        (lambda: ag.fictitious_play(PD, float("nan")), ("rounds", "1,000,000", "nan")),
        (lambda: ag.fictitious_play(PD, seed=-1), ("seed", "-1")),
        (lambda: ag.replicator(PD, points=2.5), ("points", "2.5")),
        (lambda: ag.replicator(PD, until=None), ("until", "None")),
        (lambda: ag.replicator(PD, 5), ("5",)),
        (lambda: ag.replicator(PD, populations=3), ("populations", "1 to 2", "3")),
        (lambda: ag.critical_discount(PD, [2, 9.5]), ("[2.0, 9.5]", "infeasible")),
        (lambda: ag.critical_discount(PD, [2, []]), ("strategy",)),
        (lambda: ag.discretise(THREE, [PLAN], [0.01], {"x": 5}), ("bloc 'x'", "allies", "5")),
        (lambda: ag.discretise(THREE, [PLAN], [HUGE]), ("burden",)),
        (lambda: ag.discretise(THREE, [PLAN], [0.01], units=5), ("units", "usd_bn")),
        (lambda: ag.price_of_anarchy(THREE, 5), ("plans", "ag.Plan", "5")),
        (lambda: ag.price_of_anarchy(THREE, [None]), ("Plan", "None")),
        (lambda: ag.channels(THREE, None), ("Plan", "None")),
        (lambda: ag.channels(THREE, PLAN)["trus"], ("channel", "'trust'")),
        (lambda: ag.CoalitionGame([0, 1], 5), ("players", "list", "5")),
        (lambda: ag.CoalitionGame(len, [[1], [2]]), ("players", "[1]", "label")),
        (lambda: ag.CoalitionGame(len, {1, 2}), ("players", "in order")),
        (lambda: ag.CoalitionGame([0, HUGE]), ("2^n numbers",)),
        (lambda: CG(0), ("coalition", "players", "0")),
        (lambda: CG([[1]]), ("unknown player", "[1]")),
        (lambda: CG.coalition(8), ("0 to 7", "8")),
        (lambda: CG.excesses([1, 2]), ("3 numbers", "2")),
        (lambda: CG.excesses("abc"), ("numbers in the order", "'abc'")),
        (lambda: CG.excesses({1: 1, 2: 3}), ("nothing for 3",)),
        (lambda: ag.shapley(CG, samples=10**30, method="sampled"), ("samples", "100,000,000")),
        (lambda: ag.banzhaf(CG, normalised="x"), ("normalised", "True or False")),
        (lambda: ag.coalition_game(THREE, 5), ("players", "dict", "5")),
        (lambda: ag.coalition_game(THREE, {"x": 5}), ("player 'x'", "list of members", "5")),
        (lambda: ag.coalition_game(THREE, convention=[]), ("convention", "gamma")),
        (lambda: ag.coalition_stability(THREE, 5), ("coalition", "members", "5")),
        (lambda: ag.coalition_stability(THREE, []), ("no members", "leave it out")),
        (lambda: ag.coalition_stability(THREE, ["Large", "Large"]), ("'Large' twice",)),
        (lambda: ag.coalition_stability(THREE, players=["a"]), ("Leave players out",)),
        (
            lambda: ag.coalition_stability(lambda s: {1, 2}, players=[1, 2]),
            ("payoffs of {", "list"),
        ),
        (lambda: ag.stable_coalitions(lambda s: 5, players=[1, 2]), ("payoffs of {", "5")),
        (lambda: ag.stable_sizes(5, len, 5), ("member", "function", "5")),
        (lambda: ag.stable_sizes(float, float, HUGE), ("n must be", "1,000,000")),
    ],
)
def test_bad_calls(call: Callable[[], Any], words: tuple[str, ...]) -> None:
    refused(call, *words)


DOORS: dict[str, Callable[[Any], Any]] = {
    **{
        name: getattr(ag, name)
        for name in (
            "find_equilibria", "solve_nash", "solve_commitment", "solve_correlated", "minmax",
            "eliminate_dominated", "risk_dominance", "quantal_response", "feasible_set",
            "fictitious_play", "replicator", "shapley", "banzhaf", "core", "nucleolus",
            "coalition_game", "coalition_stability", "stable_coalitions", "leave_one_out",
            "price_of_anarchy", "burden_shares", "solve_social_optimum",
        )
    },
    "certify": lambda b: ag.certify(b, (0, 0)),
    "critical_discount": lambda b: ag.critical_discount(b, (0, 0)),
    "honour_threat": lambda b: ag.honour_threat(b, PLAN),
    "channels": lambda b: ag.channels(b, PLAN),
    "discretise": lambda b: ag.discretise(b, [PLAN], [0.01]),
    "FiniteGame": lambda b: ag.FiniteGame(b),
    "from_dict": ag.FiniteGame.from_dict,
    "types": lambda b: ag.solve_commitment(types=[b]),
    "probability": lambda b: ag.solve_commitment(types=[(b, PD), (0.25, PD)]),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_every_door_takes_only_its_game(door: str) -> None:
    for odd in ODD:
        refused(lambda: DOORS[door](odd))  # noqa: B023 (called at once)


def test_what_is_admitted_at_the_edges() -> None:
    """The largest payoffs are solved, and a mix of integers and floats is a target in payoffs."""
    game = ag.FiniteGame([[[1e100, -1e100], [0, 0]], [[1, 0], [0, 1]]])
    assert len(ag.find_equilibria(game)) >= 1
    assert ag.solve_commitment(game).certificate.verdict == "certified"
    assert ag.critical_discount(PD, [2, 2.5]).payoff == pytest.approx([2, 2.5])
    assert CG.excesses({1: 1, 2: 3, 3: 5}) == pytest.approx(CG.excesses([1, 3, 5]))
    assert CG.excesses(ag.shapley(CG)) == pytest.approx(CG.excesses([3, 3, 3]))
