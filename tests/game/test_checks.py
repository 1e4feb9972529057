"""Wrong types, per cent given as numbers, frozen games: errors of ours, with the remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import alliancegame as ag
from alliancegame import errors
from alliancegame.game.congestion import final_note, final_value


@pytest.fixture(scope="module")
def game() -> ag.BurdenSharingGame:
    return ag.load_model("three-allies")


PLAN = r"plan must be a Plan such as ag\.Plan\(threat=0\.5\), got"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda g: ag.solve_nash("nato-2024"),
            r"needs a game such as ag\.load_model\('nato-2024'\)",
        ),
        (lambda g: ag.solve_nash(g, 0.5), PLAN + r" 0\.5"),
        (lambda g: ag.solve_nash(g, {"threat": 1}), PLAN),
        (lambda g: ag.respond(g, 0.5), PLAN),
        (lambda g: ag.regime_map(g, plan={"threat": 1}), PLAN),
        (lambda g: ag.frontier(g, {"threat": 1}), PLAN),
        (lambda g: ag.uncertainty("g", {"decay": (0, 1)}, ag.Plan(0.5)), "needs a game"),
        (lambda g: ag.latex("x"), "latex needs a game"),
        (lambda g: ag.calibrate("x", {}), "calibrate needs a game"),
        (lambda g: ag.default_plan("x"), "default_plan needs a game"),
        (lambda g: ag.compare(g, []), "empty list of plans"),
        (lambda g: ag.compare(g, 0.5), "compare takes a Plan"),
        (lambda g: ag.from_frame({"gdp": 1}, "L"), "from_frame needs a pandas DataFrame"),
        (lambda g: ag.sweep(g, {"decay": [0]}, ag.Plan(burden=0.03), store=5), "store must be"),
        (lambda g: ag.sweep(g, {"decay": [0]}), r'solve="nash"'),
    ],
)
def test_wrong_types_name_the_remedy(
    game: ag.BurdenSharingGame, call: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(errors.InvalidValueError, match=message):
        call(game)


def test_frozen_games_and_plans_say_how_to_change_them(game: ag.BurdenSharingGame) -> None:
    with pytest.raises(errors.FrozenError, match=r"use game\.replace\(decay=0\.3\)"):
        game.decay = 0.3
    with pytest.raises(dataclasses.FrozenInstanceError, match=r"use plan\.replace\(threat=1\)"):
        ag.Plan().threat = 1  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Did you mean 'decay'"):
        _ = game.decya


def test_per_cent_given_as_a_number_has_the_hint(game: ag.BurdenSharingGame) -> None:
    table = pd.DataFrame({"gdp": [20000, 4000], "burden": [3.5, 2.0]}, index=["USA", "DEU"])
    for call in (
        lambda: ag.from_frame(table, leader="USA"),
        lambda: ag.solve_nash(game, ag.Plan(threat=1, demand=3.5)),
        lambda: ag.solve_nash(game, ag.Plan(burden=3.5)),
        lambda: ag.certify(game, dict.fromkeys(game.members, 3.5)),
    ):
        with pytest.raises(errors.InvalidValueError, match=r"3\.5 % is 0\.035"):
            call()


def test_a_table_says_what_to_drop() -> None:
    table = pd.DataFrame({"gdp": [20000, 4000], "burden": [0.035, 0.02]}, index=["USA", "DEU"])
    with pytest.raises(errors.UnknownNameError, match="If it is no parameter, drop it"):
        ag.from_frame(table.assign(notes="x"), leader="USA")


def test_technologies_are_limits_of_substitution(game: ag.BurdenSharingGame) -> None:
    assert game.replace(substitution=2).substitution == 2
    with pytest.raises(errors.InvalidValueError, match="leave substitution at 1"):
        game.replace(technology="best-shot", substitution=2)


def test_the_complex_entry_is_named() -> None:
    with pytest.raises(errors.InvalidValueError, match=r"gdp of A must be real.*2\+1j"):
        ag.BurdenSharingGame(["L", "A"], "L", gdp=np.array([1, 2 + 1j]), security_weight=1)


@pytest.mark.parametrize("typed", ["GER", "Germany", "germny"])
def test_members_are_known_by_their_full_names(typed: str) -> None:
    game = ag.load_model("nato-2024")
    with pytest.raises(errors.UnknownNameError, match=r"Did you mean 'DEU' \(Germany\)\?"):
        ag.regime_map(game, (f"decay[{typed}]", (0, 1)))


def test_saving_may_refuse_to_replace(game: ag.BurdenSharingGame, tmp_path: Any) -> None:
    path = ag.save_model(game, tmp_path / "mine.toml", overwrite=False)
    ag.save_model(game, path)
    with pytest.raises(errors.ModelFileError, match="is there already"):
        ag.save_model(game, path, overwrite=False)


def test_final_values_of_congested_spill_ins() -> None:
    game = ag.load_model("nato-2024")
    gdp = game.by_member("gdp")
    i = game.members.index_of("FRA")
    by_hand = 0.7 * gdp[i] / gdp.sum()
    assert final_value(game, "umbrella", "FRA") == pytest.approx(by_hand, rel=1e-14)
    assert f"FRA's is now {by_hand:.3g}" in final_note(game, "umbrella", "FRA")
    assert final_note(game, "umbrella", None) == ""
    assert final_note(game, "decay", "FRA") == ""
    assert final_note(game.replace(congestion=0), "umbrella", "FRA") == ""
    assert final_note(game.replace(umbrella={"FRA": 0.1}), "umbrella", "FRA") == ""


def test_axes_of_one_members_spill_in_say_their_scale() -> None:
    from alliancegame.study.evaluate import quantity

    game = ag.load_model("nato-2024")
    asked = quantity(game, ag.Plan(), "umbrella[FRA]")
    assert "final, after congestion: FRA's is now 0.0405" in asked.label()
    assert asked.own == final_value(game, "umbrella", "FRA")
    small = ag.load_model("three-allies")
    swept = ag.sweep(small, {"umbrella[Large]": [0.1]}, solve="nash")
    assert "final, after congestion" in swept["umbrella[Large]"].attrs["note"]
