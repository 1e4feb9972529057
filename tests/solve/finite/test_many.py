"""More than two players: known equilibria, polynomial conditions solved a second way, honest statements."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy

import alliancegame as ag
from alliancegame.errors import GameTooLargeError
from alliancegame.solve.finite import homotopy
from alliancegame.solve.finite.many import pure_cells


def by_resultants(payoffs: np.ndarray) -> set[tuple[float, ...]]:
    """Totally mixed equilibria of a 2 x 2 x 2 game: a Groebner basis over the rationals (SymPy)."""
    p, q, r = sympy.symbols("p q r")
    conditions = []
    for i, (a, b) in enumerate(((q, r), (p, r), (p, q))):
        u = np.moveaxis(payoffs[i], i, 0)
        difference = 0
        for j, k in itertools.product((0, 1), repeat=2):
            weight = (a if j == 0 else 1 - a) * (b if k == 0 else 1 - b)
            difference += int(u[0, j, k] - u[1, j, k]) * weight
        conditions.append(sympy.expand(difference))
    found = set()
    basis = sympy.groebner(conditions, p, q, r, order="lex")
    last = sympy.Poly(basis.exprs[-1], r)
    for root in last.nroots(n=30):
        if abs(sympy.im(root)) > 1e-20:
            continue
        # Given r the other two conditions are linear in q and in p.
        solved_q = sympy.solve(conditions[0].subs(r, root), q)
        solved_p = sympy.solve(conditions[1].subs(r, root), p)
        if solved_q and solved_p:
            point = tuple(float(sympy.re(x)) for x in (solved_p[0], solved_q[0], root))
            if all(0 < x < 1 for x in point):
                found.add(tuple(round(x, 9) for x in point))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_totally_mixed_equilibria_against_a_groebner_basis(seed: int) -> None:
    payoffs = np.random.default_rng(seed).integers(-20, 20, (3, 2, 2, 2))
    found = ag.find_equilibria(ag.FiniteGame(list(payoffs)))
    inner = {
        tuple(round(float(m[0]), 9) for m in p.mixtures)
        for p in found
        if all(0 < m[0] < 1 for m in p.mixtures)
    }
    assert inner == by_resultants(payoffs)


@pytest.mark.parametrize("seed", range(1, 4))
def test_three_players_with_three_strategies(seed: int) -> None:
    """An odd number of certified equilibria, and every path accounted for."""
    payoffs = np.random.default_rng(seed).normal(size=(3, 3, 3, 3))
    found = ag.find_equilibria(ag.FiniteGame(list(payoffs)))
    assert len(found) % 2 == 1
    assert all(p.certificate.verdict == "certified" for p in found)
    assert "every isolated solution on all" in found.statement
    assert found.complete is False
    assert found.degenerate is None


def test_a_support_that_cannot_be_proved_is_said() -> None:
    """One root here lies so far out that rounding hides whether it stands alone."""
    payoffs = np.random.default_rng(0).normal(size=(3, 3, 3, 3))
    found = ag.find_equilibria(ag.FiniteGame(list(payoffs)))
    assert len(found) == 1
    assert "on 52 of 53 supports" in found.statement
    assert "not proved" in found.statement


def test_four_players() -> None:
    payoffs = np.random.default_rng(0).normal(size=(4, 2, 2, 2, 2))
    found = ag.find_equilibria(ag.FiniteGame(list(payoffs)))
    assert len(found) % 2 == 1
    assert all(p.certificate.regret < 1e-12 for p in found)


def test_irrational_equilibria_of_integer_games() -> None:
    """Three players' equilibria need not be rational even if payoffs are (Nash, 1951)."""
    random = np.random.default_rng(11)
    irrational = 0
    for _ in range(6):
        payoffs = random.integers(-9, 9, (3, 2, 2, 2))
        for profile in ag.find_equilibria(ag.FiniteGame(list(payoffs))):
            inner = [float(m[0]) for m in profile.mixtures if 0 < m[0] < 1]
            if len(inner) == 3:
                irrational += all(
                    abs(x - round(x * d) / d) > 1e-12 for x in inner for d in range(1, 60)
                )
                assert profile.certificate.regret < 1e-12
    assert irrational > 0


@pytest.mark.parametrize(
    ("sizes", "paths"),
    [((2, 2, 2), 2), ((3, 3, 3), 10), ((4, 4, 4), 56), ((2, 2, 2, 2), 9), ((2, 2, 2, 2, 2), 44)],
)
def test_numbers_of_paths(sizes: tuple[int, ...], paths: int) -> None:
    """Numbers of totally mixed equilibria of generic games: McKelvey and McLennan (1997), table 1."""
    assert homotopy.path_count(sizes) == paths


def test_players_without_a_choice_leave_a_bimatrix_game() -> None:
    """A dummy third player, and one whose strategy is dominated: the answer is then complete."""
    A, B = np.array([[0, 7], [2, 6]]), np.array([[0, 2], [7, 6]])
    third = np.stack([np.zeros((2, 2)), np.ones((2, 2))], axis=2)
    game = ag.FiniteGame(
        [np.stack([A, A - 5], axis=2), np.stack([B, B], axis=2), third], ("a", "b", "c")
    )
    found = ag.find_equilibria(game)
    assert found.complete
    assert len(found) == 3
    assert all(p.strategies["c"] == {"2": 1} for p in found)
    assert all(p.certificate.regret == 0 for p in found)


def test_pure_equilibria_by_hand() -> None:
    """Each of three wants to be in the minority: exactly the six profiles with one dissenter."""
    shape = (2, 2, 2)
    payoffs = [np.zeros(shape) for _ in shape]
    for cell in itertools.product((0, 1), repeat=3):
        for i in range(3):
            payoffs[i][cell] = float(sum(c == cell[i] for c in cell) == 1)
    game = ag.FiniteGame(payoffs)
    assert len(pure_cells(game)) == 6
    found = ag.find_equilibria(game)
    assert found.degenerate
    # A member of a majority of two may turn: the six lie on a ring.
    assert "there is a continuum: in 6 pairs" in found.statement
    even = [p for p in found if all(abs(m[0] - 0.5) < 1e-9 for m in p.mixtures)]
    assert len(even) == 1


def test_limits_are_stated() -> None:
    big = ag.FiniteGame(list(np.random.default_rng(0).normal(size=(3, 8, 8, 8))))
    with pytest.raises(GameTooLargeError, match=r'16,581,375 supports.*50,000.*method="pure"'):
        ag.find_equilibria(big)
    with pytest.raises(GameTooLargeError, match=r"more than 20,000 paths"):
        ag.find_equilibria(ag.FiniteGame(list(np.random.default_rng(0).normal(size=(3, 5, 5, 5)))))
    assert ag.find_equilibria(big, method="pure").complete is False


@pytest.mark.parametrize("offset", [0, 10**9, 10**12])
@pytest.mark.parametrize("kind", [int, float])
def test_a_common_offset_changes_nothing(offset: int, kind: type) -> None:
    """Rounding is measured by the range of payoffs, not by their level."""
    payoff = np.array([[[31, 0], [52, 13]], [[14, 25], [6, 40]]])
    bare = ag.find_equilibria(ag.FiniteGame([payoff] * 3))
    found = ag.find_equilibria(ag.FiniteGame([(payoff + offset).astype(kind)] * 3))
    assert len(found) == len(bare) == 3
    for one, other in zip(found, bare, strict=True):
        for a, b in zip(one.mixtures, other.mixtures, strict=True):
            assert [float(p) for p in a] == pytest.approx([float(p) for p in b], abs=1e-9)


def test_a_player_who_does_not_care_hides_no_equilibrium() -> None:
    payoff = np.array([[[31, 0], [52, 13]], [[14, 25], [6, 40]]])
    rough = [payoff * np.pi, payoff * np.pi, np.full((2, 2, 2), np.pi)]
    whole = ag.find_equilibria(ag.FiniteGame([payoff, payoff, np.ones((2, 2, 2), dtype=int)]))
    found = ag.find_equilibria(ag.FiniteGame(rough))
    assert len(found) == len(whole) > 0
    constant = ag.FiniteGame([np.full((2, 2, 2), np.pi)] * 3)
    assert ag.solve_nash(constant).certificate.verdict == "certified"


def test_continua_are_named() -> None:
    """Where nobody's choice matters to it, everything is an equilibrium; and where one player alone
    differs between two equilibria, so is everything between them."""
    constant = ag.find_equilibria(ag.FiniteGame(np.zeros((3, 2, 2, 2))))
    assert constant.complete
    assert len(constant) == 8
    assert "one continuum" in constant.statement
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[0], payoffs[1] = (
        np.array([[1, -1], [-1, 1]])[:, :, None] * np.array([[[1]], [[-1]]])[:, None]
    )
    bystander = ag.find_equilibria(ag.FiniteGame(payoffs))
    assert not bystander.complete
    assert "there is a continuum: in 1 pair" in bystander.statement
    assert bystander.statement.endswith("to rounding")
    game = bystander.game
    for share in (0.2, 0.7):
        profile = [[0.5, 0.5], [0.5, 0.5], [share, 1 - share]]
        assert ag.certify(game, profile).verdict == "certified"


@pytest.mark.parametrize("seed", range(8))
def test_what_lies_between_two_pure_equilibria_is_one(seed: int) -> None:
    game = ag.FiniteGame(np.random.default_rng(seed).integers(0, 3, (3, 2, 2, 2)))
    found = ag.find_equilibria(game)
    pairs = [
        (one, other)
        for one, other in itertools.combinations(found.pure, 2)
        if sum(a != b for a, b in zip(one.cell, other.cell, strict=True)) == 1
    ]
    for one, other in pairs:
        middle = [
            [Fraction(p + q, 2) for p, q in zip(x, y, strict=True)]
            for x, y in zip(one.mixtures, other.mixtures, strict=True)
        ]
        assert ag.certify(game, middle).regret == 0
    if pairs and game.size == 3 and "strict dominance" not in found.statement:
        assert "there is a continuum" in found.statement
