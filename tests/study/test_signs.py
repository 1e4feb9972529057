"""Signs of gains along ranges: every cell against a comparison made by hand, every turn bracketed."""

from __future__ import annotations

import json

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.solve.nash import status_quo
from alliancegame.solve.result import result_from_dict
from alliancegame.study.sign_series import GAIN, LOSS, NO_ANSWER, NOTHING, Signs, SignSeries
from alliancegame.study.signs import RECHOSEN, default_ranges, gain_signs

PLAN = ag.Plan(threat=0.5)
HARD = ag.Plan(threat=1.0)


@pytest.fixture(scope="module")
def game() -> BurdenSharingGame:
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def found(game: BurdenSharingGame) -> Signs:
    return gain_signs(game, {"half": PLAN, "full": HARD}, points=7)


def one(found: Signs, plan: str, key: str, recalibrated: bool | None = None) -> SignSeries:
    (series,) = (s for s in found.of(plan) if s.axis.key == key and s.recalibrated is recalibrated)
    return series


def varied(game: BurdenSharingGame, key: str, value: float, *, refit: bool) -> BurdenSharingGame:
    """The game of one cell, made by hand."""
    name, _, member = key.partition("[")
    own = getattr(game, name)
    change = {member.rstrip("]"): value} if member else value
    if name == "influence_weight" and not member:
        change = value * own
    changed = game.replace(**{name: change})
    return ag.calibrate(changed, status_quo(game).burdens) if refit else changed


@pytest.mark.parametrize(
    ("key", "refit"),
    [
        ("decay", None),
        ("influence_weight[Leader]", True),
        ("influence_weight[Leader]", False),
        ("influence_weight", True),
        ("influence_weight", False),
        ("return_spillin", True),
        ("return_spillin", False),
    ],
)
def test_every_cell_is_the_comparison_at_that_value(
    game: BurdenSharingGame, found: Signs, key: str, refit: bool | None
) -> None:
    series = one(found, "half", key, refit)
    for value, gain, money, sign in zip(
        series.values, series.gains, series.usd_bn, series.signs, strict=True
    ):
        at = game if value == series.axis.base else varied(game, key, value, refit=bool(refit))
        expected = ag.compare(at, PLAN)
        assert gain == pytest.approx(expected.delta_payoff, abs=1e-13)
        assert money == pytest.approx(expected.gain_usd_bn, rel=1e-9, abs=1e-9)
        assert sign == (GAIN if expected.delta_payoff > 0 else LOSS)


def test_refitting_keeps_the_status_quo_and_leaving_the_weights_alone_moves_it(
    game: BurdenSharingGame,
) -> None:
    here = status_quo(game).burdens
    refitted = varied(game, "return_spillin", 1.0, refit=True)
    left = varied(game, "return_spillin", 1.0, refit=False)
    assert status_quo(refitted).burdens == pytest.approx(here, rel=1e-9)
    assert not np.allclose(status_quo(left).burdens, here, rtol=1e-3)


def test_the_demand_axis_changes_the_plan_and_not_the_game(
    game: BurdenSharingGame, found: Signs
) -> None:
    series = one(found, "half", "demand")
    for value, gain in zip(series.values, series.gains, strict=True):
        assert gain == pytest.approx(
            ag.compare(game, PLAN.replace(demand=value)).delta_payoff, abs=1e-13
        )


def test_the_sign_changes_at_the_turns_and_nowhere_between(
    game: BurdenSharingGame, found: Signs
) -> None:
    series = one(found, "half", "decay")
    (turn,) = series.turns
    width = (series.values[-1] - series.values[0]) / 6 / 128
    gain = [ag.compare(game.replace(decay=turn + d), PLAN).delta_payoff for d in (-width, width)]
    assert gain[0] > 0 > gain[1]
    assert series.intervals == ((0.0, turn, GAIN), (turn, 1.0, LOSS))
    assert series.statement() == f"gain below {turn:.3g}, loss above {turn:.3g}"
    assert not series.firm


def test_one_sign_is_claimed_for_the_values_tried_only(found: Signs) -> None:
    assert one(found, "full", "demand").statement() == "loss at all 8 values"


def test_intervals_cover_the_range_without_gaps(found: Signs) -> None:
    for series in found:
        ends = [series.values[0], *(high for _, high, _ in series.intervals)]
        assert ends[-1] == series.values[-1]
        assert [low for low, _, _ in series.intervals] == ends[:-1]


def test_the_threat_chosen_anew_is_the_best_of_a_fine_grid(
    game: BurdenSharingGame, found: Signs
) -> None:
    series = one(found, RECHOSEN, "decay")
    assert min(series.gains) >= 0
    for value, gain, threat in zip(series.values, series.gains, series.threats, strict=True):
        at = game.replace(decay=value)
        grid = [ag.solve_nash(at, ag.Plan(threat=t)).leader_payoff for t in np.linspace(0, 1, 101)]
        none = ag.solve_nash(at).leader_payoff
        assert gain >= max(grid) - none - 1e-9
        reached = ag.solve_nash(at, ag.Plan(threat=threat)).leader_payoff - none
        assert gain == pytest.approx(reached, abs=1e-13)
    assert series.signs[0] == GAIN
    assert series.signs[-1] == NOTHING


def test_the_flagship_turns_inside_every_range() -> None:
    flagship = ag.load_model("nato-2024")
    signs = gain_signs(flagship, ag.default_plan(flagship))
    assert not any(series.firm for series in signs.of("plan"))
    assert one(signs, "plan", "decay").turns == pytest.approx([0.397], abs=2e-3)
    assert one(signs, RECHOSEN, "decay").signs[-1] == NOTHING


def test_a_value_without_an_answer_is_a_cell_that_says_why() -> None:
    flagship = ag.load_model("nato-2024")
    signs = gain_signs(flagship, PLAN, ranges={"influence_weight": (1.0, 4.0)}, points=4)
    series = one(signs, "plan", "influence_weight", True)
    assert series.signs[-1] == NO_ANSWER
    assert "security_weight" in series.reasons[-1]
    assert np.isnan(series.gains[-1])
    assert series.signs[0] != NO_ANSWER
    assert series.statement().endswith(
        f"no answer above {series.axis.show(series.intervals[-1][0])}"
    )


def test_a_demand_beyond_the_bounds_has_no_answer(game: BurdenSharingGame) -> None:
    signs = gain_signs(game, PLAN, ranges={"demand": (0.05, 0.5)}, points=3)
    assert one(signs, "plan", "demand").signs == (GAIN, NO_ANSWER, NO_ANSWER)
    assert one(signs, RECHOSEN, "demand").signs[-1] == NO_ANSWER


def test_values_by_member_are_varied_by_one_factor(game: BurdenSharingGame) -> None:
    decays = {"Large": 0.2, "Middle": 0.4, "Frontier": 0.8}
    mixed = game.replace(decay=decays)
    plan = ag.Plan(threat=0.5, demand={"Large": 0.03, "Middle": 0.04, "Frontier": 0.05})
    signs = gain_signs(mixed, plan, ranges={"decay": (0.0, 2.0), "demand": (0.5, 1.0)}, points=3)
    decay, demand = one(signs, "plan", "decay"), one(signs, "plan", "demand")
    assert decay.axis.relative
    assert decay.axis.show(2.0) == "× 2"
    doubled = game.replace(decay={label: 2 * k for label, k in decays.items()})
    assert decay.gains[-1] == pytest.approx(ag.compare(doubled, plan).delta_payoff, abs=1e-13)
    halved = plan.replace(demand={label: d / 2 for label, d in plan.demand.items()})
    assert demand.gains[0] == pytest.approx(ag.compare(mixed, halved).delta_payoff, abs=1e-13)


def test_what_cannot_be_varied_is_left_out_with_a_reason(game: BurdenSharingGame) -> None:
    idle = gain_signs(game.replace(influence_weight=0.0), PLAN, points=3)
    assert set(idle.left_out) == {"influence_weight"}
    corner = BurdenSharingGame(["a", "b", "c"], "a", gdp=[10, 6, 2], security_weight=1.0,
                               burden_max=0.99)  # fmt: skip
    kept = gain_signs(corner, PLAN, ranges={"return_spillin": (0.5, 1.0)}, points=3)
    (reason,) = kept.left_out.values()
    assert "c stand" in reason
    assert {series.recalibrated for series in kept} == {False}


def test_a_weakest_link_is_not_refitted(game: BurdenSharingGame) -> None:
    weakest = game.replace(technology="weakest-link")
    kept = gain_signs(weakest, PLAN, ranges={"return_spillin": (0.5, 1.0)}, points=2)
    (reason,) = kept.left_out.values()
    assert "calibrate" in reason
    assert {series.recalibrated for series in kept} == {False}
    assert NO_ANSWER not in one(kept, "plan", "return_spillin", False).signs


def test_a_plan_without_pressure_has_no_demand_axis(game: BurdenSharingGame) -> None:
    signs = gain_signs(game, ag.Plan(burden=0.03), points=3)
    assert "demand" not in {series.axis.key for series in signs.of("plan")}


def test_signs_travel_as_json(found: Signs) -> None:
    back = result_from_dict(json.loads(found.to_json()))
    assert isinstance(back, Signs)
    assert back.to_json() == found.to_json()
    assert len(back.to_frame()) == sum(len(series.values) for series in found)
    assert list(back.summary()["sign"]) == [series.statement() for series in found]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"plans": {}}, InvalidValueError, "at least one plan"),
        ({"ranges": {"dacay": (0, 1)}}, UnknownNameError, "decay"),
        ({"ranges": {"decay": (1, 1)}}, InvalidValueError, "low, high"),
        ({"ranges": {"decay": (0, float("nan"))}}, InvalidValueError, "finite"),
        ({"points": 1}, InvalidValueError, "points"),
    ],
)
def test_bad_questions_are_refused(
    game: BurdenSharingGame, arguments: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        gain_signs(game, **{"plans": PLAN, **arguments})


def test_default_ranges_hold_the_models_own_value() -> None:
    for entry in ag.list_models():
        game = ag.load_model(entry.name)
        plan = ag.default_plan(game)
        low, high = default_ranges(game, plan)["decay"]
        assert low <= game.decay <= high


def test_a_trigger_game_has_signs_of_its_plans_and_says_why_no_threat_is_chosen_anew(
    game: BurdenSharingGame,
) -> None:
    trigger = game.replace(shortfall="trigger")
    made = gain_signs(trigger, {"half": PLAN}, ranges={"decay": (0.2, 0.6)}, points=3)
    (half,) = made.of("half")
    assert NO_ANSWER not in half.signs
    (anew,) = made.of(RECHOSEN)
    assert set(anew.signs) == {NO_ANSWER}
    assert all('shortfall="trigger"' in reason for reason in anew.reasons)
