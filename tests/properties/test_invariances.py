"""What theory says of every game: invariances, neutrality, comparative statics that are proved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.nash import respond, solve_nash
from tests.problems import BANK, FAMILIES, alliance, random_alliance

Array = NDArray[np.float64]


def between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


@st.composite
def random_games(draw: st.DrawFn) -> tuple[BurdenSharingGame, Plan]:
    """Any supported form; equilibria may be several."""
    family = draw(st.sampled_from(sorted(FAMILIES)))
    return random_alliance(np.random.default_rng(draw(st.integers(0, 10**6))), family)


@st.composite
def unique_games(draw: st.DrawFn, **fixed: Any) -> BurdenSharingGame:
    """Games under the conditions of docs/theory/equilibrium: the equilibrium is unique."""
    n = draw(st.integers(2, 6))

    def each(low: float, high: float) -> list[float]:
        return draw(st.lists(between(low, high), min_size=n, max_size=n))

    spillin = draw(between(0.3, 1.0))
    facts: dict[str, Any] = {
        "influence_weight": each(0.0, 0.03),
        "private_weight": each(0.0, 0.02),
        "effectiveness": each(0.5, 2.0),
        "spillin": spillin,
        "umbrella": [draw(between(0.0, 1.0)) * spillin for _ in range(n)],
        "consumption": draw(st.sampled_from(["log", "linear"])),
    }
    return alliance(each(0.2, 40.0), each(0.01, 0.3), **(facts | fixed))


def plans() -> st.SearchStrategy[Plan]:
    return st.builds(Plan, threat=between(0.0, 1.0), demand=between(0.005, 0.2))


def reordered(game: BurdenSharingGame, order: list[int]) -> BurdenSharingGame:
    facts = game.to_dict()
    return BurdenSharingGame.from_dict(
        {
            name: [value[i] for i in order] if isinstance(value, list) else value
            for name, value in facts.items()
        }
    )


# --- Invariances ----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(random_games(), st.randoms(use_true_random=False))
def test_order_of_members_does_not_matter(
    drawn: tuple[BurdenSharingGame, Plan], random: Any
) -> None:
    game, plan = drawn
    order = list(range(game.size))
    random.shuffle(order)
    moved_plan = Plan(
        threat=plan.threat_by_member(game.members)[order],
        demand=plan.demand_by_member(game.members)[order],
        burden=plan.burden,
    )
    here, there = solve_nash(game, plan), solve_nash(reordered(game, order), moved_plan)
    assert list(there.burden.index) == [game.members[i] for i in order]
    assert len(here.others) == len(there.others)
    assert there.burdens == pytest.approx(here.burdens[order], rel=1e-9, abs=1e-11)
    assert there.payoffs == pytest.approx(here.payoffs[order], rel=1e-9, abs=1e-11)
    assert there.certificate.unique == here.certificate.unique


@settings(max_examples=60)
@given(random_games(), between(1e-3, 1e4))
def test_currency_does_not_matter(drawn: tuple[BurdenSharingGame, Plan], unit: float) -> None:
    """GDP in another unit: burdens and influence are the same, security is in that unit."""
    game, plan = drawn
    here, there = (
        solve_nash(game, plan),
        solve_nash(game.replace(gdp=game.by_member("gdp") * unit), plan),
    )
    assert there.burdens == pytest.approx(here.burdens, rel=1e-9, abs=1e-11)
    assert there.influences == pytest.approx(here.influences, rel=1e-9, abs=1e-11)
    assert there.securities == pytest.approx(here.securities * unit, rel=1e-9)
    shift = game.by_member("security_weight") * np.log(unit)
    assert there.payoffs == pytest.approx(here.payoffs + shift, rel=1e-9, abs=1e-9)


@settings(max_examples=25)
@given(random_games(), between(0.01, 100.0), between(0.01, 100.0))
def test_units_of_forces_and_of_council_weight_do_not_matter(
    drawn: tuple[BurdenSharingGame, Plan], forces: float, votes: float
) -> None:
    game, plan = drawn
    other = game.replace(
        effectiveness=game.by_member("effectiveness") * forces,
        council_weight=game.by_member("council_weight") * votes,
    )
    here, there = solve_nash(game, plan), solve_nash(other, plan)
    # Where a linear payoff is nearly flat, a gain of 1e-14 leaves eight digits of the burden.
    assert there.burdens == pytest.approx(here.burdens, rel=1e-7, abs=1e-10)
    assert there.influences == pytest.approx(here.influences, rel=1e-7, abs=1e-10)


@settings(max_examples=40)
@given(unique_games(consumption="linear"), plans(), between(0.1, 10.0))
def test_linear_games_are_homogeneous(game: BurdenSharingGame, plan: Plan, factor: float) -> None:
    """All weights and the demand times a factor: burdens times that factor (no bound binds above)."""
    names = ("security_weight", "influence_weight", "private_weight")
    scaled = game.replace(
        **{name: game.by_member(name) * factor for name in names}, burden_max=100.0
    )
    here = solve_nash(game, plan)
    there = solve_nash(scaled, plan.replace(demand=plan.demand * factor))
    assert there.burdens == pytest.approx(here.burdens * factor, rel=1e-8, abs=1e-10)


@settings(max_examples=40)
@given(unique_games(), plans(), between(0.1, 100.0))
def test_a_member_that_values_nothing_changes_nothing(
    game: BurdenSharingGame, plan: Plan, size: float
) -> None:
    """Trust is full and lasting, so that the newcomer does not move the mean either."""
    here = solve_nash(game, plan)
    labels = [*game.members, "new"]
    grown = {
        name: ([*value, {"gdp": size, "effectiveness": 1.0, "umbrella": 0.0}.get(name, 0.0)])
        if isinstance(value, list)
        else value
        for name, value in game.to_dict().items()
    }
    there = solve_nash(BurdenSharingGame.from_dict(grown | {"members": labels}), plan)
    assert there.burden["new"] == 0.0
    assert there.burdens[:-1] == pytest.approx(here.burdens, rel=1e-9, abs=1e-11)
    assert there.influence["new"] == 0.0


@settings(max_examples=40)
@given(unique_games(), plans())
def test_naming_the_equilibrium_burden_changes_nothing(game: BurdenSharingGame, plan: Plan) -> None:
    here = solve_nash(game, plan)
    there = respond(game, plan.replace(burden=float(here.burdens[0])))
    assert there.burdens == pytest.approx(here.burdens, rel=1e-8, abs=1e-10)
    assert there.payoffs == pytest.approx(here.payoffs, rel=1e-8, abs=1e-10)


# --- Neutrality (Warr 1983; Bergstrom, Blume & Varian 1986) ---------------------------------------


@settings(max_examples=60)
@given(st.data())
def test_redistribution_among_contributors_is_neutral(data: st.DataObject) -> None:
    """Pure public good: what everybody consumes and the total do not depend on who has the money."""
    n = data.draw(st.integers(2, 5))
    gdp = np.array(data.draw(st.lists(between(5.0, 20.0), min_size=n, max_size=n)))
    theta = np.array(data.draw(st.lists(between(0.2, 2.0), min_size=n, max_size=n)))
    here = solve_nash(alliance(gdp, theta))
    gifts = here.contribution.to_numpy()
    givers = np.flatnonzero(gifts > 1e-6 * gdp)
    assume(len(givers) >= 2)
    moved = gdp.copy()
    shares = data.draw(st.lists(between(-1.0, 1.0), min_size=len(givers), max_size=len(givers)))
    change = np.array(shares) - np.mean(shares)
    assume(np.abs(change).max() > 1e-3)
    moved[givers] += 0.9 * gifts[givers].min() * change / np.abs(change).max()
    there = solve_nash(alliance(moved, theta))
    assert there.contribution.sum() == pytest.approx(gifts.sum(), rel=1e-9)
    kept = moved - there.contribution.to_numpy()
    assert kept == pytest.approx(gdp - gifts, rel=1e-8, abs=1e-9)


def test_redistribution_is_not_neutral_with_joint_products() -> None:
    """Cornes & Sandler: a private benefit breaks neutrality."""
    game = alliance((10, 6, 8), 1.0, private_weight=0.1)
    here, there = solve_nash(game), solve_nash(game.replace(gdp=(9, 7, 8)))
    assert abs(here.contribution.sum() - there.contribution.sum()) > 1e-6


# --- Comparative statics that docs/theory/equilibrium proves ---------------------------------------


def allied_total(game: BurdenSharingGame, plan: Plan) -> float:
    return float(respond(game, plan).contribution[1:].sum())


@settings(max_examples=60)
@given(unique_games(), plans(), between(0.01, 0.1), between(1.0, 3.0))
def test_who_feels_threatened_more_contributes_more(
    game: BurdenSharingGame, plan: Plan, burden: float, factor: float
) -> None:
    """sigma_1(X) rises at every X, so X rises; all other shares fall in X."""
    plan = plan.replace(burden=burden)
    here = respond(game, plan)
    theta = game.by_member("security_weight")
    there = respond(
        game.replace(security_weight=theta * np.where(np.arange(game.size) == 1, factor, 1)), plan
    )
    before, after = (r.contribution[1:].to_numpy() for r in (here, there))
    assert after.sum() >= before.sum() * (1 - 1e-9) - 1e-12
    assert after[0] >= before[0] * (1 - 1e-9) - 1e-12
    if before.sum() > 0:
        shares = before / before.sum(), after / after.sum()
        assert np.all(shares[1][1:] <= shares[0][1:] + 1e-8)


@settings(max_examples=60)
@given(unique_games(influence_weight=0.0), plans(), between(0.001, 0.1), between(1.0, 3.0))
def test_the_leaders_spending_crowds_out_the_allies(
    game: BurdenSharingGame, plan: Plan, burden: float, factor: float
) -> None:
    """Without a contest for influence, a larger umbrella lowers every share function."""
    less = allied_total(game, plan.replace(burden=burden))
    more = allied_total(game, plan.replace(burden=burden * factor))
    # Under a threat a larger umbrella also raises what compliance is worth: no sign is proved there.
    calm = [allied_total(game, Plan(burden=b)) for b in (burden, burden * factor)]
    assert calm[1] <= calm[0] * (1 + 1e-9) + 1e-12
    assert min(less, more) >= 0


@settings(max_examples=60)
@given(unique_games(), plans(), between(0.001, 0.1), between(0.0, 1.0))
def test_threats_that_cost_no_trust_raise_allied_contributions(
    game: BurdenSharingGame, plan: Plan, burden: float, less: float
) -> None:
    """Below the demand P falls and P' rises with the threat; above it nothing changes."""
    plan = plan.replace(burden=burden)
    mild = plan.replace(threat=plan.threat * less)
    assert allied_total(game, plan) >= allied_total(game, mild) * (1 - 1e-9) - 1e-12


@settings(max_examples=30)
@given(unique_games(influence_weight=0.0), between(0.001, 0.1), between(0.1, 1.0))
def test_lost_trust_without_pressure_raises_allied_contributions(
    game: BurdenSharingGame, burden: float, trust: float
) -> None:
    """Whoever counts less on the umbrella does more for itself."""
    plan = Plan(burden=burden)
    worn = game.replace(trust=trust)
    assert allied_total(worn, plan) >= allied_total(game, plan) * (1 - 1e-9) - 1e-12


@settings(max_examples=30)
@given(unique_games(), plans(), between(0.0, 2.0))
def test_lost_trust_costs_influence_at_given_burdens(
    game: BurdenSharingGame, plan: Plan, decay: float
) -> None:
    """I = T g_l / (T g_l + sum g_j): at the same profile it rises with trust."""
    assume(decay * plan.threat > 1e-6)
    profile = solve_nash(game, plan)
    trust = float(np.exp(-decay * plan.threat))
    g = profile.contribution.to_numpy()
    assume(g[1:].sum() > 1e-9)
    assume(g[0] > 1e-9)
    worn = trust * g[0] / (trust * g[0] + g[1:].sum())
    assert worn < profile.leader_influence


def test_spending_says_nothing_about_success() -> None:
    """docs/theory/outcomes: with and without trust costs allied spending is nearly the same."""
    game = BANK["nato-like"].game
    plan, calm = Plan(threat=0.4, demand=0.05, burden=0.034), Plan(burden=0.034)
    base = respond(game, calm)
    cheap, dear = respond(game, plan), respond(game.replace(decay=0.6), plan)
    assert cheap.allied_burden == pytest.approx(dear.allied_burden, rel=0.05)
    assert cheap.allied_burden > base.allied_burden < dear.allied_burden
    assert dear.leader_payoff < base.leader_payoff < cheap.leader_payoff
