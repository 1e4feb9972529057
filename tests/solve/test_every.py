"""find_equilibria of alliance games: theorems, scans, active sets, continua; what travels."""

from __future__ import annotations

import json

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, InvalidValueError
from alliancegame.solve.result import result_from_dict


def contest(weights, m=1.0):
    n = len(weights)
    return ag.BurdenSharingGame(
        ["L", *(f"A{i}" for i in range(1, n))], "L", [1] * n, 0.0, influence_weight=weights,
        influence_value="share", decisiveness=m, consumption="linear", burden_max=10,
    )  # fmt: skip


def degenerate(**changes):
    """Two linear allies alike, for whom forces are worth the same from whomever they come."""
    return ag.BurdenSharingGame(
        ["L", "A", "B", "C"], "L", [2, 1, 1, 0.8], [0.04, 0.05, 0.05, 0.03], consumption="linear",
        burden_max=changes.pop("burden_max", 0.2), **changes,
    )  # fmt: skip


def test_theorem_is_complete():
    found = ag.find_equilibria(ag.load_model("three-allies"), ag.Plan(threat=0.3, burden=0.03))
    assert found.complete
    assert len(found) == 1
    assert "theorem on followers" in found.statement


def test_k4():
    found = ag.find_equilibria(contest([1, 1 / 1.5, 1 / 4]))
    np.testing.assert_allclose(found[0].burdens, (0.24, 0.16, 0.0), atol=1e-9)


@pytest.mark.parametrize(("m", "sizes"), [(1.75, (2, 3)), (1.9, (2,))])
def test_contests_with_inactive_members(m, sizes):
    """Symmetric contests with log consumption, by hand.

    With k of n active x / (1 - x) = m (k - 1) / k^2 =: q, which pays while ln(1 + q) <= 1/k. At m = 1.9
    the point with all three active satisfies first-order conditions and is no equilibrium.
    """
    game = contest([1, 1, 1], m).replace(consumption="log", burden_max=0.9)
    found = ag.find_equilibria(game)
    expected = []
    for k in sizes:
        for active in {2: ((0, 1), (0, 2), (1, 2)), 3: ((0, 1, 2),)}[k]:
            q = m * (k - 1) / k**2
            x = np.zeros(3)
            x[list(active)] = q / (1 + q)
            expected.append(tuple(x.round(6)))
    assert sorted(tuple(e.burdens.round(6)) for e in found) == sorted(expected)
    assert found.completeness == "not known"
    if 3 not in sizes:
        q = m * 2 / 9
        trap = ag.certify(game, [q / (1 + q)] * 3)
        assert trap.verdict == "unverified"
        assert trap.regret == pytest.approx(np.log(1 + q) - 1 / 3, rel=1e-6)


def test_continuum_has_its_end_points():
    """theta e Y - b r g_l = .04 is shared by A and B in any way: g_A + g_B = .04 by hand."""
    found = ag.find_equilibria(degenerate(), ag.Plan(burden=0.005))
    assert found.complete
    assert len(found.components) == 1
    one = found.components[0]
    assert one.members == ("A", "B")
    assert one.dimension == 1
    assert one.listed
    ends = sorted(tuple(e.burdens[1:3].round(12)) for e in one.ends)
    assert ends == [(0.0, 0.04), (0.04, 0.0)]
    for share in (0.1, 0.6):  # Everything in between is an equilibrium, and nothing beyond.
        between = [0.005, 0.04 * share, 0.04 * (1 - share), 0.0]
        assert ag.certify(degenerate(), between, ag.Plan(burden=0.005)).verdict == "certified"
    beside = ag.certify(degenerate(), [0.005, 0.03, 0.02, 0.0], ag.Plan(burden=0.005))
    assert beside.verdict == "unverified"


@pytest.mark.parametrize(
    ("changes", "plan", "total"),
    [
        # theta / (1 - chi T / d) - b r g_l = .04 / (1 - .1 / .9) - .2 * .03
        ({"umbrella": 0.2, "trade_exposure": 1.0}, {"tariff": 0.1, "demand": 0.9}, 0.039),
        ({"umbrella": 0.0}, {"threat": 0.5, "demand": 0.19}, 0.04),
        ({"trust": 0.0}, {"threat": 0.5, "demand": 0.19}, 0.04),
    ],
    ids=["levy", "no umbrella", "no trust"],
)
@pytest.mark.parametrize("held", [True, False], ids=["response", "nash"])
def test_continuum_below_a_demand(changes, plan, total, held):
    """Below its demand a levy makes burdens cheaper, and no threat is felt without an umbrella."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", 1, [0.04, 0.04, 0.04], consumption="linear", burden_max=1.0,
        return_spillin=0.1, **changes,
    )  # fmt: skip
    plan = ag.Plan(**plan, burden=0.03 if held else None)
    found = ag.find_equilibria(game, plan)
    one = found.components[0]
    assert "continuum" in found.statement
    assert found[0].certificate.unique == "multiple"
    if held:
        assert found.complete
        ends = sorted(tuple(e.burdens[1:].round(12)) for e in one.ends)
        assert ends == [(0.0, total), (total, 0.0)]
    between = 0.3 * one.ends[0].burdens + 0.7 * one.ends[1].burdens
    assert ag.certify(game, between, plan).verdict == "certified"
    report = ag.verify(json.loads(found.to_json(certificate=True)))
    assert report.status == "not checkable"
    claims = {(c.of, c.claim): c.status for c in report.claims}
    assert claims["equilibria[0]", "uniqueness"] == "accepted"
    # Whoever says of one of them that it is the only one is refused.
    alone = json.loads(ag.solve_nash(game, plan).to_json(certificate=True))
    alone["certificate"]["unique"] = "proven"
    for claim in alone["claims"]:
        if claim["claim"] == "uniqueness":
            claim |= {"state": "proven", "theorem": "followers" if held else "simultaneous Nash"}
    assert ag.verify(alone).status == "refused"


def test_the_leader_shares_with_an_ally_below_its_demand():
    """theta_A / (1 - chi T / d) = theta_L = .05: one continuum, not one root for each burden scanned."""
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", 1, [0.05, 0.04], consumption="linear", burden_max=1.0, trade_exposure=1.0
    )
    found = ag.find_equilibria(game, ag.Plan(tariff=0.04, demand=0.2))
    assert (len(found), len(found.components)) == (1, 1)
    ends = sorted(tuple(end.burdens.round(12)) for end in found.components[0].ends)
    assert ends == [(0.0, 0.05), (0.05, 0.0)]


def test_a_levy_tells_allies_apart():
    """Where only one of two pays a levy, their worths differ: one equilibrium, and proved."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", 1, [0.04, 0.04, 0.04], consumption="linear", burden_max=1.0,
        trade_exposure=[0, 1, 0.5],
    )  # fmt: skip
    found = ag.find_equilibria(game, ag.Plan(tariff=0.1, demand=0.9, burden=0.0))
    assert found.complete
    assert not found.components
    assert found[0].certificate.unique == "proven"
    np.testing.assert_allclose(found[0].burdens, (0, 0.04 / (1 - 0.1 / 0.9), 0), atol=1e-9)


@pytest.mark.parametrize(("beside", "unique"), [(0.0, "multiple"), (1e-8, "proven")])
def test_a_levy_that_is_nearly_the_demand(beside, unique):
    """Just above it the levy takes more than a burden costs: one equilibrium, and the checker agrees."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", 1, [0.04, 0.04, 0.0], consumption="linear", burden_max=1.0,
        trade_exposure=1.0,
    )  # fmt: skip
    found = ag.solve_nash(game, ag.Plan(tariff=0.1 * (1 + beside), demand=0.1, burden=0.03))
    assert found.certificate.unique == unique
    assert ag.verify(json.loads(found.to_json(certificate=True))).accepted


def test_continuum_within_bounds():
    found = ag.find_equilibria(degenerate(burden_max=0.03), ag.Plan(burden=0.005))
    ends = sorted(tuple(e.burdens[1:3].round(12)) for e in found.components[0].ends)
    assert ends == [(0.01, 0.03), (0.03, 0.01)]


def test_continuum_of_leader_and_ally():
    """b_l b_i r_i = 1, one worth: what the leader gives an ally takes back."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", [1, 1, 1], [0.05, 0.05, 0.01], consumption="linear", burden_max=0.2
    )
    found = ag.find_equilibria(game)
    assert len(found.components) == 1
    assert set(found.components[0].members) == {"L", "A"}
    ends = sorted(tuple(e.burdens[:2].round(12)) for e in found.components[0].ends)
    assert ends == [(0.0, 0.05), (0.05, 0.0)]


def test_it_travels_and_prints():
    for game, plan in (
        (degenerate(), ag.Plan(burden=0.005)),
        (
            ag.load_model("three-allies").replace(shortfall="trigger"),
            ag.Plan(threat=0.4, demand=0.02),
        ),
    ):
        found = ag.find_equilibria(game, plan)
        back = result_from_dict(json.loads(found.to_json()))
        assert back.to_json() == found.to_json()
        assert len(back) == len(found)
        assert next(iter(back)).game == game
        assert len(found.to_frame()) == len(found)
        assert found.statement in found._repr_html_()
        assert "tabular" in found.to_latex()


def test_a_damaged_file_is_refused():
    data = json.loads(ag.find_equilibria(degenerate(), ag.Plan(burden=0.005)).to_json())
    data["completeness"] = "surely"
    with pytest.raises(AllianceGameError, match="completeness"):
        result_from_dict(data)


@pytest.mark.parametrize("bad", [5, None, "three-allies", [], True, float("nan")])
def test_wrong_games_are_refused(bad):
    with pytest.raises(InvalidValueError, match="find_equilibria"):
        ag.find_equilibria(bad)


@pytest.mark.parametrize("shortfall", ["proportional", "trigger"])
@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (5, "plan"), ("x", "plan"), ([0.1], "plan"), (True, "plan"),
        (ag.Plan(burden=3.0), "burden"), (ag.Plan(threat=0.5, demand=3.0), "demand"),
        (ag.Plan(threat=[0.1, 0.2]), "threat"),
    ],
)  # fmt: skip
def test_wrong_plans_are_refused(shortfall, plan, word):
    game = ag.load_model("three-allies").replace(shortfall=shortfall)
    with pytest.raises(AllianceGameError, match=word):
        ag.find_equilibria(game, plan)


def test_methods_belong_to_finite_games():
    with pytest.raises(InvalidValueError, match="finite games"):
        ag.find_equilibria(ag.load_model("three-allies"), method="pure")
    with pytest.raises(InvalidValueError, match="takes no plan"):
        ag.find_equilibria(ag.FiniteGame([[[0, 7], [2, 6]], [[0, 2], [7, 6]]]), ag.Plan())
