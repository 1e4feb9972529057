"""Robustness over forms: one status quo, the same answers as single calls, nothing left out."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.figures import specification_curve
from alliancegame.payoff.form import Form
from alliancegame.solve import aggregative
from alliancegame.study import robustness
from alliancegame.study.robustness import NO_ANSWER, Robustness

PLAN = ag.Plan(threat=0.9, demand=0.05)
FORMS = {
    "influence_value": ["log", "share"],
    "substitution": [1.0, 0.8],
    "consumption": ["log", "linear"],
}


@pytest.fixture(scope="module")
def game() -> ag.BurdenSharingGame:
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def found(game: ag.BurdenSharingGame) -> Robustness:
    return ag.robustness(game, PLAN, forms=FORMS)


def test_every_specification_is_there_with_the_same_status_quo(
    game: ag.BurdenSharingGame, found: Robustness
) -> None:
    assert len(found) == 8
    assert len({tuple(s.forms.values()) for s in found.specifications}) == 8
    assert sum(s.own for s in found.specifications) == 1
    base = ag.solve_nash(game)
    for s in found.specifications:
        formed = game.replace(**s.forms)
        worth = game.by_member("influence_weight") / base.influences
        if s.forms["influence_value"] == "share":  # alpha ln p and alpha' p have one slope at A.
            formed = formed.replace(influence_weight=worth)
        anew = ag.calibrate(formed, base.burdens)
        assert ag.solve_nash(anew).burdens == pytest.approx(base.burdens, rel=1e-9)
        compared = ag.compare(anew, PLAN)
        assert compared.outcome == s.outcome
        assert s.delta_payoff == pytest.approx(compared.delta_payoff, rel=1e-6, abs=1e-12)


def test_every_shortfall_answers_as_a_game_by_itself(game: ag.BurdenSharingGame) -> None:
    """A is one and the same, whatever a missed demand is; under the plan each has its own answer."""
    found = ag.robustness(
        game, PLAN, forms={"shortfall": ["proportional", "trigger", "logistic"]}, progress=False
    )
    base = ag.solve_nash(game)
    for s in found.specifications:
        anew = ag.calibrate(game.replace(**s.forms), base.burdens)
        assert ag.solve_nash(anew).burdens == pytest.approx(base.burdens, rel=1e-9)
        compared = ag.compare(anew, PLAN)
        assert (s.outcome, s.verdict) == (compared.outcome, "certified")
        assert s.delta_payoff == pytest.approx(compared.delta_payoff, rel=1e-9, abs=1e-14)
    assert len({round(s.delta_payoff, 9) for s in found.specifications}) == 3


def test_the_games_own_specification_is_its_own_comparison(
    game: ag.BurdenSharingGame, found: Robustness
) -> None:
    own = next(s for s in found.specifications if s.own)
    compared = ag.compare(game, PLAN)
    assert own.outcome == compared.outcome
    assert own.gain_usd_bn == pytest.approx(compared.gain_usd_bn, rel=1e-9)


def test_shares_add_up_and_travel(found: Robustness, tmp_path: object) -> None:
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert sum(found.counts.values()) == len(found)
    file = f"{tmp_path}/found.json"
    found.to_json(file)
    again = ag.load_result(file)
    assert again.headline() == found.headline()
    assert [s.outcome for s in again] == [s.outcome for s in found]
    assert "outcome" in found.to_latex()
    table = found.by_form()
    assert table["specifications"].tolist() == [4] * 6
    assert np.isfinite(table["mean gain_usd_bn"]).all()


def test_what_cannot_be_calibrated_is_listed_with_its_reason(game: ag.BurdenSharingGame) -> None:
    found = ag.robustness(game.replace(influence_weight=0.9), PLAN, forms={"consumption": ["log"]},
                          observed=ag.solve_nash(game).burdens)  # fmt: skip
    assert found.counts == {NO_ANSWER: 1}
    assert "negative security_weight" in found[0].message
    assert np.isnan(found.better_off)
    with pytest.raises(InvalidValueError, match="nothing to draw"):
        specification_curve(found)


def test_the_curve_shows_every_specification(found: Robustness) -> None:
    figure = specification_curve(found)
    upper, lower = figure.axes
    assert upper.get_legend() is not None
    assert len(lower.get_yticklabels()) == 6


def test_gains_of_many_sizes_are_on_a_scale_that_says_so(found: Robustness) -> None:
    """Ticks on both sides of zero, labels as they are, and the label of the axis names the scale."""
    gains = [-30.0, -12.0, 0.4, 20.0, 150.0, 300.0, 4000.0, 90_000.0]
    many = dataclasses.replace(
        found,
        specifications=tuple(
            dataclasses.replace(s, gain_usd_bn=gain)
            for s, gain in zip(found.specifications, gains, strict=True)
        ),
    )
    upper, _ = specification_curve(many).axes
    assert upper.get_yscale() == "symlog"
    assert "logarithmic beyond 1)" in upper.get_ylabel()
    labels = dict(
        zip(upper.get_yticks(), (t.get_text() for t in upper.get_yticklabels()), strict=True)
    )
    assert {-10.0, -1.0, 0.0, 1.0, 10.0, 1000.0, 10_000.0} <= set(labels)
    assert labels[10_000.0] == "10,000"


@pytest.mark.parametrize(
    ("forms", "error", "words"),
    [
        ({"influense": ["hub"]}, UnknownNameError, "Did you mean 'influence'"),
        ({"influence": "hub"}, InvalidValueError, "needs a list"),
        ({"influence": ["hbu"]}, UnknownNameError, "hub"),
        ({"influence": []}, InvalidValueError, "at least one value"),
        ({"substitution": [1.0, 1]}, InvalidValueError, "twice"),
        ({"substitution": [50]}, InvalidValueError, "substitution must be in"),
        ({"substitution": np.linspace(0.1, 1, 1500), "consumption": ["log", "linear"]},
         InvalidValueError, "at most 2000"),
        ({}, InvalidValueError, "must be a dict"),
        (5, InvalidValueError, "must be a dict"),
    ],
)  # fmt: skip
def test_bad_forms(
    game: ag.BurdenSharingGame, forms: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ag.robustness(game, PLAN, forms=forms)  # type: ignore[arg-type]


def test_bad_games_and_plans(game: ag.BurdenSharingGame) -> None:
    with pytest.raises(InvalidValueError, match="needs a game"):
        ag.robustness("three-allies", PLAN)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="must be a Plan"):
        ag.robustness(game, 0.5)  # type: ignore[arg-type]


def test_progress_counts_specifications(game: ag.BurdenSharingGame) -> None:
    heard: list[tuple[int, int, int]] = []
    ag.robustness(
        game,
        PLAN,
        forms={"consumption": ["log", "linear"]},
        progress=lambda now: (
            heard.append((now.done, now.cells, now.failed))
            if now.things == "specifications"
            else None
        ),
    )
    assert heard == [(0, 2, 0), (1, 2, 0), (2, 2, 0)]


def test_kernels_compiled_ahead_are_those_that_are_used(
    game: ag.BurdenSharingGame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named beforehand from the forms, and counted when each specification loads its own."""
    named: set[Form] = set()
    used: set[Form] = set()
    monkeypatch.setattr(robustness, "missing", lambda forms: named.update(forms) or [])
    load = aggregative.compiled

    def watched(form: Form, group: str) -> ModuleType:
        assert group == "solve"
        used.add(form)
        return load(form, group)

    monkeypatch.setattr(aggregative, "compiled", watched)
    forms = {"consumption": ["log", "linear"], "shortfall": ["proportional", "trigger"]}
    fresh = game.replace(decay=0.31)  # Whose tables are not made yet.
    ag.robustness(fresh, PLAN, forms=forms, progress=False)
    assert named == used == {Form(), Form("linear")}
    named.clear()
    used.clear()
    ag.robustness(fresh, PLAN, forms={"shortfall": ["logistic"]}, progress=False)
    assert named == used == {Form(), Form(shortfall="logistic")}
    named.clear()
    quiet = ag.Plan(threat=0.0, demand=0.05)
    ag.robustness(fresh, quiet, forms={"shortfall": ["logistic"]}, progress=False)
    assert named == {Form()}
