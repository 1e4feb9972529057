"""The printed model follows the game's forms."""

from __future__ import annotations

import pytest

import alliancegame as ag


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies")


def test_one_line_for_each_part(game):
    text = ag.latex(game)
    for left in (
        "u_{i}",
        "S_{i}",
        "p_{i}",
        "R_i",
        r"\varphi_i",
        r"u_{\ell}",
        "Z",
        "C",
        "E_i",
        "r_i",
    ):
        assert f"  {left} &=" in text
    assert text.startswith("\\begin{align}")
    assert text.rstrip().endswith("\\end{align}")
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")


def test_terms_that_nobody_has_are_left_out(game):
    text = ag.latex(game.replace(private_weight=0.0, influence_weight=0.0))
    assert "h_{i}" not in text
    assert r"\alpha" not in text
    assert r"\theta_{i}" in text


def test_forms_show(game):
    ces = ag.latex(game.replace(substitution=0.5, decisiveness=2.0, consumption="linear"))
    assert r"1/\rho" in ces
    assert "^{m}" in ces
    assert r"\log{\left(1 - x_{i} \right)}" not in ces
    share = ag.latex(game.replace(influence_value="share"))
    assert r"\log{\left(p_{i} \right)}" not in share
    assert r"\mu" in ag.latex(game.replace(horizon="stationary", recovery=0.2))
    assert "E_i" not in ag.latex(game.replace(decay=0.0))
