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


def test_the_printed_game_is_complete(game):
    """Everything that a line uses has a line, and contributions are not written twice."""
    text = ag.latex(game.replace(congestion=1.0))
    assert r"\beta_i &= \beta \left( Y_i / \sum_{j} Y_j \right)^{\eta}" in text
    assert r"b_i &= b \left( Y_i / \sum_{j} Y_j \right)^{\eta}" in text
    assert r"\omega_j &= Y_j" in text
    assert r"R_i &= r_{i} \left(1 - " in text
    assert r"\left(1 - \beta_{i}\right)" not in text
    assert r"\eta" not in ag.latex(game.replace(congestion=0.0))
    final = ag.latex(game.replace(congestion=1.0, umbrella={"Large": 0.1}))
    assert r"b_i &=" not in final
    assert r"\beta_i &=" in final
    harmless = ag.latex(game.replace(decay=0.0))
    assert "r_i &= r_i^{0}" in harmless
    assert r"\omega_j &=" in harmless


@pytest.mark.parametrize("rho", [1.0, 0.5])
def test_the_shortened_condition_is_the_condition(rho):
    """The printed rate of security equals the derivative, at numbers."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy
    from alliancegame.payoff.form import Form
    from alliancegame.payoff.latex import _LEFT, _Shown

    form = Form("log", "log", rho == 1, True)
    problem = sy.ally_problem(form)
    shown = _Shown(form, "i", leader=False)
    raw = problem.total(problem.security_power)
    values = {
        sy.x: 0.02, sy.g: 0.8, sy.Z: 3.0, sy.C: 5.0, sy.G: 9.0, sy.scale: 40.0, sy.spillin: 0.3,
        sy.umbrella: 0.4, sy.bite: 0.6, sy.demand: 0.05, sy.below: 1, sy.rho_symbol: rho,
    }  # fmt: skip
    left = shown.reliability.subs(values)
    short = shown.short(raw).subs({_LEFT: left}).subs(values)
    assert float(short) == pytest.approx(float(sp.sympify(raw).subs(values)), rel=1e-12)
