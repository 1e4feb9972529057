"""FiniteGame at the door: what is exact, what is refused, how it prints, and Gambit's files."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import AllianceGameError, GameFileError

PD = [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]


def game() -> ag.FiniteGame:
    return ag.FiniteGame(
        PD, ("USA", "allies"), (("threaten", "reassure"), ("comply", "free-ride")), title="PD"
    )


def refused(call: Any, *words: str) -> None:
    with pytest.raises(AllianceGameError) as caught:
        call()
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("values", "exact", "first"),
    [
        ([[1, 2]], True, Fraction(1)),
        ([["1/3", 2]], True, Fraction(1, 3)),
        ([[Decimal("0.1"), 2]], True, Fraction(1, 10)),
        ([[0.1, 2.5]], True, Fraction(1, 10)),
        ([[-123.456789, 0]], True, Fraction(-123456789, 10**6)),
        ([[0.1 + 0.2, 0]], False, Fraction(0.1 + 0.2)),
        ([[math.pi, 0]], False, Fraction(math.pi)),
        ([[1e100, 0]], True, Fraction(1e100)),
        ([[10**30, 0]], True, Fraction(10**30)),
        ([[Fraction(1, 3), 0.1 + 0.2]], False, Fraction(1, 3)),
    ],
)  # fmt: skip
def test_what_is_exact(values: Any, exact: bool, first: Fraction) -> None:
    made = ag.FiniteGame([values, [[0, 0]]])
    assert made.exact is exact
    assert made.fractions[0][0, 0] == first


@pytest.mark.parametrize(
    ("payoffs", "words"),
    [
        ([[[1, 2], [3, 4]], [[1, 2]]], ("player 2", "(1, 2)", "(2, 2)")),
        ([PD[0], PD[1], PD[0]], ("3 payoff arrays", "3 dimensions", "(2, 2)", "Give 2 arrays")),
        ([[[[1]]], [[[1]]]], ("2 payoff arrays", "2 dimensions")),
        ([PD[0]], ("at least two players", "got 1")),
        ([[[1, math.nan]], [[1, 2]]], ("player 1", "(0, 1)", "finite", "nan")),
        ([[[1, 2]], [[1, math.inf]]], ("player 2", "finite", "inf")),
        ([[["1/3", math.nan]], [[1, 2]]], ("finite", "nan")),
        ([[["1/0", 1]], [[1, 2]]], ("'1/3'", "'1/0'")),
        ([[["a", 1]], [[1, 2]]], ("player 1 at (0, 0)", "'a'")),
        ([[[1j, 1]], [[1, 2]]], ("real",)),
        ([[[None, 1]], [[1, 2]]], ("real", "None")),
        ([[[True, 1]], [["x", 2]]], ("player 2", "'x'")),
        ([[[1, 2], [3]], [[1, 2], [3, 4]]], ("unequal length",)),
        ([np.empty((0, 2)), np.empty((0, 2))], ("needs a strategy", "(0, 2)")),
        ([np.ma.array([[1, 2]], mask=[[0, 1]]), [[1, 2]]], ("masked",)),
        ("payoffs", ("one array for each player", "str")),
        (None, ("one array for each player", "NoneType")),
    ],
)  # fmt: skip
def test_payoffs_at_the_door(payoffs: Any, words: tuple[str, ...]) -> None:
    refused(lambda: ag.FiniteGame(payoffs), *words)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"players": ("a",)}, ("2 labels of players", "got 1")),
        ({"players": ("a", "a")}, ("duplicate player 'a'",)),
        ({"players": ("a", 2)}, ("must be text", "2")),
        ({"players": "ab"}, ("list", "'ab'")),
        ({"strategies": (("x", "y"),)}, ("each of 2 players", "got 1")),
        ({"strategies": (("x", "x"), ("y", "z"))}, ("duplicate strategy 'x'",)),
        ({"strategies": (("x",), ("y", "z"))}, ("2 labels of strategies", "got 1")),
        ({"strategies": (("x", " "), ("y", "z"))}, ("must be text", "' '")),
    ],
)
def test_labels_at_the_door(labels: Any, words: tuple[str, ...]) -> None:
    refused(lambda: ag.FiniteGame(PD, **labels), *words)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"USA": "threaten"}, ("no strategy for allies",)),
        ({"USA": "threaten", "alies": "comply"}, ("'alies'", "Did you mean 'allies'")),
        ({"USA": "threten", "allies": "comply"}, ("'threten'", "Did you mean 'threaten'")),
        (["threaten"], ("1 strategies for 2 players",)),
        ([2, 0], ("index of a strategy of player USA", "from 0 to 1", "got 2")),
        ([[0.5, 0.4], 0], ("add up to 1", "0.9")),
        ([[1.5, -0.5], 0], ("[0, 1]", "-0.5", "reassure")),
        ([[0.5, math.nan], 0], ("[0, 1]", "nan")),
        ([[1], 0], ("2 strategies", "got 1")),
        ([{"threaten": "all"}, 0], ("must be a number", "'all'")),
        ("threaten", ("a profile is",)),
        ([None, 0], ("label, a dict",)),
    ],
)  # fmt: skip
def test_profiles_at_the_door(profile: Any, words: tuple[str, ...]) -> None:
    refused(lambda: ag.certify(game(), profile), *words)


def test_profiles_from_anywhere() -> None:
    """All ways to write one profile; its regret by hand: a deviation earns 1 instead of 1/2."""
    ways: list[Any] = [
        {"USA": "threaten", "allies": {"comply": Fraction(1, 2), "free-ride": Fraction(1, 2)}},
        {0: 0, 1: [0.5, 0.5]},
        ["threaten", np.array([0.5, 0.5])],
        [[1, 0], [Fraction(1, 2), Fraction(1, 2)]],
    ]
    for way in ways:
        made = ag.certify(game(), way)
        assert made.regret == pytest.approx(1.5, abs=1e-12)
        assert made.verdict == "unverified"
        assert "bn US$" not in str(made)


def test_frames_and_latex() -> None:
    frame = game().to_frame()
    assert frame.loc["threaten", "free-ride"] == "0, 5"
    assert frame.columns.name == "allies"
    assert game().to_latex() == (
        "\\begin{tabular}{llcc}\n\\toprule\n & & \\multicolumn{2}{c}{allies} \\\\\n\\cmidrule(l){3-4}\n"
        " & & comply & free-ride \\\\\n\\midrule\n"
        "USA & threaten & $3,\\;3$ & $0,\\;\\underline{5}$ \\\\\n"
        " & reassure & $\\underline{5},\\;0$ & $\\mathbf{\\underline{1},\\;\\underline{1}}$ \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )
    three = ag.FiniteGame(np.arange(24).reshape(3, 2, 2, 2))
    assert isinstance(three.to_frame().index, pd.MultiIndex)
    assert three.to_frame().loc[("2", "1", "2"), "payoff of 3"] == 16 + 5
    refused(three.to_latex, "to_latex", "two players", "this game has 3")


def test_results_travel() -> None:
    from alliancegame.solve.result import result_from_dict

    bos = ag.FiniteGame([[[2, 0], [0, 1]], [[1, 0], [0, 2]]], title="BoS")
    for result in (ag.find_equilibria(bos), ag.solve_nash(bos)):
        again = result_from_dict(result.to_dict())
        assert again.to_json() == result.to_json()
        assert again.game == bos
        assert "tabular" in result.to_latex()
        assert result._repr_html_()
    assert ag.solve_nash(bos).provenance["game_hash"] == bos.hash


# --- Gambit's files ----------------------------------------------------------------------------------


OUTCOMES = """NFG 1 R "Two by three \\"quoted\\"" { "Alice" "Bob" }
{ { "up" "down" } { "l" "m" "r" } }
"a comment"
{
{ "first" 1, 1/2 }
{ "second" -3 4.25 }
}
1 2 0 1 1 2
"""


def test_outcome_form() -> None:
    made = ag.FiniteGame.from_nfg(OUTCOMES)
    assert made.title == 'Two by three "quoted"'
    assert made.strategies == (("up", "down"), ("l", "m", "r"))
    assert made.fractions[0].tolist() == [[1, 0, 1], [-3, 1, -3]]
    assert made.fractions[1].tolist() == [
        [Fraction(1, 2), 0, Fraction(1, 2)],
        [Fraction(17, 4), Fraction(1, 2), Fraction(17, 4)],
    ]


def test_payoff_form_with_counts() -> None:
    text = 'NFG 1 R "counts" { "a" "b" } { 3 2 }\n1 1 0 2 0 2 1 1 0 3 2 0'
    made = ag.FiniteGame.from_nfg(text)
    assert made.payoffs[0].tolist() == [[1, 1], [0, 0], [0, 2]]
    assert made.payoffs[1].tolist() == [[1, 1], [2, 3], [2, 0]]


@given(
    st.lists(
        st.one_of(
            st.integers(-9, 9), st.fractions(max_denominator=9), st.floats(-1e6, 1e6, width=64)
        ),
        min_size=24, max_size=24,
    )
)  # fmt: skip
def test_nfg_round_trip(numbers: list[Any]) -> None:
    arrays = np.array(numbers + numbers[::-1] + numbers, dtype=object).reshape(3, 2, 3, 4)
    made = ag.FiniteGame(list(arrays), ("x", 'y "z"', "\\"), title="t")
    again = ag.FiniteGame.from_nfg(made.to_nfg())
    assert again.players == made.players
    for one, other in zip(made.payoffs, again.payoffs, strict=True):
        assert one.tolist() == other.tolist()


def test_nfg_files(tmp_path: Path) -> None:
    file = tmp_path / "pd.nfg"
    game().to_nfg(file)
    assert ag.FiniteGame.from_nfg(file) == game()
    refused(lambda: game().to_nfg(tmp_path / "missing" / "pd.nfg"), "cannot be written")
    refused(lambda: ag.FiniteGame.from_nfg(tmp_path / "none.nfg"), "cannot be read")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NFG", "ends too early"),
        ('NFG 2 R "x" { "a" "b" } { 1 1 } 0 0', "NFG 1 R"),
        ('NFG 1 R "x" { "a" "b" } { 1 1 } 0', "need 2 payoffs, got 1"),
        ('NFG 1 R "x" { "a" "b" } { 1 } 0 0', "strategies for 1"),
        ('NFG 1 R "x" { "a" "b" } { 1 x } 0 0', "number of strategies"),
        ('NFG 1 R "x" { "a" "b" } { 1 1 } zero 0', "'zero'"),
        ('NFG 1 R "x" { "a" "b" } { 1 1 } { { "o" 1 } } 1', "1 payoffs for 2 players"),
        ('NFG 1 R "x" { "a" "b" } { 1 1 } { { "o" 1 2 } } 2', "from 0 to 1"),
        ('NFG 1 R x { "a" "b" } { 1 1 } 0 0', "double quotes"),
        ('NFG 1 R "x" { "a" } { 1 } 0', "no strategic game"),
    ],
)
def test_bad_nfg(text: str, words: str) -> None:
    with pytest.raises(GameFileError, match="nfg") as caught:
        ag.FiniteGame.from_nfg(text)
    assert words in str(caught.value)
