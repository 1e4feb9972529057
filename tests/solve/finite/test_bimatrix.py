"""Two players: every equilibrium of known games, and agreement of independent enumerations."""

from __future__ import annotations

import itertools
import warnings
from fractions import Fraction
from typing import Any

import nashpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import GameTooLargeError, InvalidValueError, UnknownNameError
from alliancegame.solve.finite import bimatrix, polytope
from alliancegame.solve.finite.bimatrix import maximal_cliques
from tests.finite_games import EIGHT, SEVENTY_FIVE, TEXTBOOK, Known, slow_extreme


def points(found: ag.EquilibriumSet) -> frozenset[Any]:
    return frozenset(profile.mixtures for profile in found)


def small_games(most: int = 3, payoffs: int = 3) -> st.SearchStrategy[Any]:
    """Games of few small integers: most are degenerate."""

    def arrays(shape: tuple[int, int]) -> st.SearchStrategy[Any]:
        row = st.lists(st.integers(0, payoffs), min_size=shape[1], max_size=shape[1])
        matrix = st.lists(row, min_size=shape[0], max_size=shape[0])
        return st.tuples(matrix, matrix)

    return st.tuples(st.integers(1, most), st.integers(1, most)).flatmap(arrays)


@pytest.mark.parametrize("known", TEXTBOOK, ids=lambda k: k.name)
def test_textbook_games(known: Known) -> None:
    found = ag.find_equilibria(known.game)
    assert points(found) == known.extreme
    assert len(found.components) == known.components
    assert found.complete
    for profile in found:
        assert profile.certificate.verdict == "certified"
        assert profile.certificate.regret == 0
        assert profile.certificate.unique == ("proven" if len(known.extreme) == 1 else "multiple")


def test_eight_equilibria_of_which_support_enumeration_finds_five() -> None:
    A, B = EIGHT.payoffs
    found = ag.find_equilibria(EIGHT.game)
    assert points(found) == slow_extreme(A, B)
    assert len(found) == 8
    assert found.degenerate
    assert len(ag.find_equilibria(EIGHT.game, method="support-enumeration")) == 5
    by_nashpy = ag.find_equilibria(EIGHT.game, method="vertex-enumeration")
    assert len(by_nashpy) == 8
    assert not by_nashpy.complete
    assert "missing" in by_nashpy.statement


def test_seventy_five_equilibria() -> None:
    found = ag.find_equilibria(ag.FiniteGame(SEVENTY_FIVE))
    assert len(found) == 75
    assert found.degenerate is False
    assert len(found.components) == 75
    assert all(p.certificate.regret == 0 for p in found)
    assert "nondegenerate and has exactly 75" in found.statement


@settings(max_examples=40)
@given(small_games())
def test_degenerate_games_against_the_slow_enumeration(payoffs: Any) -> None:
    found = ag.find_equilibria(ag.FiniteGame(payoffs))
    assert points(found) == slow_extreme(*payoffs)
    assert found.complete


@settings(max_examples=40)
@given(small_games(), st.randoms(use_true_random=False))
def test_maximal_subsets_hold_equilibria_and_nothing_is_left_out(payoffs: Any, random: Any) -> None:
    """Any mixture within a subset is an equilibrium; every extreme equilibrium is in some subset."""
    game = ag.FiniteGame(payoffs)
    found = ag.find_equilibria(game)
    seen = []
    for component in found.components:
        members = set()
        for subset in component.subsets:
            weights = [[random.randint(1, 9) for _ in hull] for hull in subset.hulls]
            mixed = tuple(
                tuple(
                    sum(
                        Fraction(w, sum(weight)) * corner[k]
                        for w, corner in zip(weight, hull, strict=True)
                    )
                    for k in range(len(hull[0]))
                )
                for weight, hull in zip(weights, subset.hulls, strict=True)
            )
            assert ag.certify(game, mixed).regret == 0
            assert subset.contains(mixed)
            members |= set(subset.equilibria)
        assert members == set(component.equilibria)
        seen += component.equilibria
    assert sorted(seen) == list(range(len(found)))


@pytest.mark.parametrize("seed", range(6))
def test_random_games_against_two_other_algorithms(seed: int) -> None:
    """The slow enumeration finds the same; what nashpy finds (it can miss some) is among it."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(2, 5, 2))
    A, B = random.integers(-100, 100, (2, *shape))
    found = ag.find_equilibria(ag.FiniteGame([A, B]))
    assert found.degenerate is False
    assert len(found) % 2 == 1
    assert points(found) == slow_extreme(A, B)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = list(nashpy.Game(A, B).support_enumeration())
    for x, y in theirs:
        near = [
            max(
                np.abs(np.array(p.mixtures[0], float) - x).max(),
                np.abs(np.array(p.mixtures[1], float) - y).max(),
            )
            for p in found
        ]
        assert min(near) < 1e-9


@settings(max_examples=40)
@given(small_games(4))
def test_every_path_of_lemke_and_howson_ends_at_an_extreme_equilibrium(payoffs: Any) -> None:
    """Also in degenerate games, where a path without the lexicographic rule can cycle."""
    game = ag.FiniteGame(payoffs)
    ends = ag.find_equilibria(game, method="lemke-howson")
    assert len(ends) >= 1
    assert points(ends) <= points(ag.find_equilibria(game))


@pytest.mark.parametrize("seed", range(4))
def test_both_enumerations_of_a_polytope_agree(seed: int) -> None:
    """The proved search along edges, and the double description method over the integers."""
    random = np.random.default_rng(seed)
    payoff = random.integers(-1000, 1000, (6, 7)).astype(object)
    quick = polytope.best_reply_vertices(payoff)
    assert quick.points is None
    slow = polytope._double_description(quick.matrix, quick.level)
    assert {quick.point(v) for v in range(len(quick.labels))} == set(slow.points or ())
    assert slow.simple


def test_a_missing_vertex_is_noticed() -> None:
    """The proof of completeness fails if any vertex is left out, or a basis is wrong."""
    random = np.random.default_rng(1)
    level = 1000
    matrix = random.integers(level, 2 * level, (5, 5)).astype(object)
    scaled = matrix.astype(float) / level
    bases = polytope._search(scaled)
    assert bases is not None
    assert polytope._proved(matrix, level, scaled, bases)
    for k in range(len(bases)):
        assert not polytope._proved(matrix, level, scaled, np.delete(bases, k, axis=0))
    wrong = bases.copy()
    wrong[3] = [0, 1, 2, 3, 9] if set(bases[3]) != {0, 1, 2, 3, 9} else [0, 1, 2, 4, 9]
    assert not polytope._proved(matrix, level, scaled, wrong)


def test_fractions_settle_what_rounding_leaves_open() -> None:
    """Every vertex checked both ways; and a basis that is no vertex is refused by fractions alone."""
    random = np.random.default_rng(2)
    level = 1000
    matrix = random.integers(level, 2 * level, (4, 5)).astype(object)
    bases = polytope._search(matrix.astype(float) / level)
    assert bases is not None
    assert all(polytope._exactly_simple(matrix, level, basis) for basis in bases)
    known = {tuple(basis) for basis in bases}
    others = [c for c in itertools.combinations(range(9), 4) if c not in known]
    assert not any(polytope._exactly_simple(matrix, level, np.array(c)) for c in others)


def test_nearly_degenerate_games_are_settled_exactly() -> None:
    """A tie broken by one part in 10^15 is beyond floating point, and is solved exactly."""
    A = [[1, 0], ["1000000000000001/1000000000000000", 0]]
    B = [[1, 1], [0, 1]]
    found = ag.find_equilibria(ag.FiniteGame([A, B]))
    assert points(found) == slow_extreme_of_fractions(A, B)
    tied = ag.find_equilibria(ag.FiniteGame([A, B]).rounded(6))
    assert len(tied) != len(found)


def slow_extreme_of_fractions(A: Any, B: Any) -> frozenset[Any]:
    scale = 10**15
    whole = [[[int(Fraction(x) * scale) for x in row] for row in M] for M in (A, B)]
    return slow_extreme(*(np.array(M, dtype=object) for M in whole))


def test_floats_are_solved_for_what_they_are() -> None:
    random = np.random.default_rng(3)
    found = ag.find_equilibria(ag.FiniteGame(list(random.normal(size=(2, 5, 5)))))
    assert found.complete
    assert "binary numbers" in found.statement
    for profile in found:
        assert profile.certificate.verdict == "certified"
        assert 0 <= profile.certificate.regret < 1e-12


def test_every_scale_of_payoffs() -> None:
    """Positive affine changes of a player's payoffs change no equilibrium."""
    A, B = SEVENTY_FIVE[0], SEVENTY_FIVE[1]
    base = points(ag.find_equilibria(ag.FiniteGame([A, B])))
    for scale, shift in ((Fraction(1, 10**6), 7), (10**9, -(10**12))):
        moved = [[[Fraction(int(x)) * scale + shift for x in row] for row in A], B]
        assert points(ag.find_equilibria(ag.FiniteGame(moved))) == base


def test_maximal_cliques_by_hand() -> None:
    path = [(0, 0), (0, 1), (1, 1), (1, 2)]
    assert maximal_cliques(path) == [([0], [0, 1]), ([0, 1], [1]), ([1], [1, 2])]


def test_solve_nash_is_the_best_for_the_first_player() -> None:
    found = ag.solve_nash(ag.FiniteGame([[[2, 0], [0, 1]], [[1, 0], [0, 2]]]))
    assert found.payoffs == (2, 1)
    assert len(found.others) == 2
    assert found.certificate.unique == "multiple"
    for one, other in itertools.pairwise((found, *found.others)):
        assert one.payoffs[0] >= other.payoffs[0]


@pytest.mark.parametrize("seed", range(3))
def test_large_games_get_one_equilibrium(seed: int) -> None:
    random = np.random.default_rng(seed)
    A = random.integers(-1000, 1000, (30, 30))
    game = ag.FiniteGame([A, -A])
    found = ag.solve_nash(game)
    assert found.certificate.verdict == "certified"
    assert found.certificate.unique == "not proven"
    assert found.certificate.regret <= 1e-9 * 2000


def test_limits_name_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bimatrix, "MOST_EQUILIBRIA", 100)
    with pytest.raises(GameTooLargeError, match=r"more than 100 extreme equilibria"):
        ag.find_equilibria(ag.FiniteGame(np.ones((2, 12, 12))))


def test_refusals() -> None:
    three = ag.FiniteGame(np.arange(24.0).reshape(3, 2, 2, 2))
    for method in ("support-enumeration", "vertex-enumeration", "lemke-howson"):
        with pytest.raises(InvalidValueError, match="two players, and this game has 3"):
            ag.find_equilibria(three, method=method)
    with pytest.raises(UnknownNameError, match="Did you mean 'complete'"):
        ag.find_equilibria(three, method="compleet")
    with pytest.raises(InvalidValueError, match="method belongs to finite games"):
        ag.find_equilibria(ag.load_model("three-allies"), method="pure")
    with pytest.raises(InvalidValueError, match=r"or a FiniteGame, got \[\[1\]\]"):
        ag.find_equilibria([[1]])  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="takes no plan"):
        ag.solve_nash(three, ag.Plan())  # type: ignore[call-overload]


def test_players_who_do_not_care_are_no_obstacle() -> None:
    """Constant payoffs that are no decimals: the allowance for rounding is not measured by their range."""
    found = ag.find_equilibria(ag.FiniteGame([np.full((2, 2), 1 / 3), np.full((2, 2), np.pi)]))
    assert len(found) == 4
    assert all(one.certificate.verdict == "certified" for one in found)
