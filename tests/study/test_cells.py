"""Cells of a sweep say what a single call says, and a cell that fails is a value with a reason."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, InvalidValueError, UnknownNameError
from alliancegame.solve.keys import parse_key
from alliancegame.solve.scenarios import by_form
from alliancegame.solve.tolerances import DEFAULT
from alliancegame.study import cells as layer
from alliancegame.study.cells import OUTPUTS, solve_cells
from alliancegame.study.lone_cells import lone_values


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies")


def random_cells(count, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "threat": rng.uniform(0, 1, count),
        "demand": rng.choice([0.02, 0.05, 0.3], count),
        "decay": rng.uniform(0, 1, count),
        "decay[Large]": rng.uniform(0, 1, count),
        "umbrella": rng.uniform(0.1, 1.5, count),
        "spillin[Middle]": rng.uniform(0.0, 1.2, count),
        "gdp[Frontier]": rng.uniform(500, 4000, count),
        "return_spillin": rng.uniform(0.1, 2.5, count),
        "congestion": rng.uniform(0, 1, count),
        "horizon": rng.choice(["impact", "stationary"], count),
        "recovery": rng.uniform(0.01, 0.5, count),
        "trust[Large]": rng.uniform(0.5, 1.1, count),
        "burden": rng.uniform(0.0, 0.3, count),
    }


def alone(solve, game_and_plan):
    """The scalar answer, as the outputs of a cell; None if there is none."""
    try:
        return lone_values(solve, *game_and_plan(), DEFAULT)
    except AllianceGameError:
        return None


@pytest.mark.parametrize("solve", ["respond", "nash", "compare"])
def test_batch_and_single_calls_agree(game, solve):
    cells = random_cells(120)
    if solve != "respond":
        cells.pop("burden")
    names = [name for name, output in OUTPUTS.items() if solve in output.solves]
    solved = solve_cells(game, cells, solve=solve, outputs=names)
    answered = 0
    for group in by_form(game, ag.Plan(), cells):
        for k in range(group.count):
            place = group.positions[k]
            single = alone(solve, lambda group=group, k=k: group.cell(k))
            if single is None:
                assert solved.status[place] > 1
                assert place in solved.reasons
                continue
            assert solved.status[place] <= 1, solved.reasons.get(int(place))
            answered += 1
            for name in names:
                here = solved.values[name][place]
                slack = 1e-12 * (game.by_member("gdp").sum() if "usd" in name else 1.0)
                there = layer._coded(OUTPUTS[name], single(name))
                assert here == pytest.approx(there, rel=1e-12, abs=slack), name
    assert answered > 20


def test_a_stackelberg_cell_is_the_scalar_search(game):
    cells = {"decay": np.linspace(0.1, 0.8, 5), "demand": np.array([0.02, 0.03, 0.05, 0.02, 0.05])}
    names = ["leader_payoff", "best_threat", "best_burden", "outcome", "gain_usd_bn"]
    solved = solve_cells(game, cells, solve="stackelberg", outputs=names)
    for k in range(5):
        single = ag.solve_stackelberg(
            game.replace(decay=cells["decay"][k]), demand=cells["demand"][k]
        )
        assert solved.values["leader_payoff"][k] == pytest.approx(single.leader_payoff, abs=1e-9)
        assert solved.values["best_threat"][k] == pytest.approx(single.plan.threat, abs=1e-3)


def test_backfire_cells(game):
    solved = solve_cells(game, {"decay": np.array([0.0, 0.4])}, solve="backfire_threshold")
    for k, decay in enumerate((0.0, 0.4)):
        single = ag.backfire_threshold(game.replace(decay=decay))
        assert solved.values["threshold"][k] == pytest.approx(single.threshold, nan_ok=True)
        assert solved.values["best_gain"][k] == single.best_gain


def test_admissible_is_what_constructors_take(game):
    cells = random_cells(200, seed=3)
    cells["substitution"] = np.random.default_rng(4).choice([1.0, 0.5, -1.0, 0.0, 1.2], 200)
    cells["private_weight[Large]"] = np.random.default_rng(5).choice([0.0, 0.003], 200)
    cells["burden_max"] = np.random.default_rng(6).choice([0.2, 0.9, 1.0], 200)
    for group in by_form(game, ag.Plan(), cells):
        good = group.admissible()
        for k in range(group.count):
            try:
                made, plan = group.cell(k)
                layer.aggregative.check_plan(made, plan)
                taken = True
            except AllianceGameError:
                taken = False
            assert good[k] == taken, group.reason(k)


def test_a_searched_regret_stands_beside_the_bound(game):
    cells = {"threat": np.linspace(0, 1, 30), "demand": np.full(30, 0.02)}
    bound = solve_cells(game, cells, ag.Plan(burden=0.03), outputs=["regret", "verdict"])
    searched = solve_cells(game, cells, ag.Plan(burden=0.03), outputs=["regret"], search=True)
    assert (bound.values["verdict"] == 2).all()
    assert (searched.values["regret"] <= 1e-12).all()


def test_zero_trust_is_a_status(game):
    solved = solve_cells(
        game.replace(horizon="stationary"), {"threat": np.array([0.0, 0.5])}, solve="nash"
    )
    assert solved.status.tolist()[1] == 3
    assert "trust" in solved.reasons[1]
    assert np.isnan(solved.values["leader_payoff"][1])
    assert solved.values["verdict"][1] == -1


def test_bad_keys(game):
    with pytest.raises(UnknownNameError, match="'decay'"):
        parse_key(game, "decya")
    with pytest.raises(InvalidValueError, match="no value by member"):
        parse_key(game, "contagion[Large]")
    with pytest.raises(UnknownNameError, match="Large"):
        parse_key(game, "decay[Lrage]")
    with pytest.raises(InvalidValueError, match="leads"):
        parse_key(game, "decay[Leader]")
    with pytest.raises(InvalidValueError, match="same length"):
        solve_cells(game, {"threat": np.zeros(2), "decay": np.zeros(3)}, solve="nash")
    with pytest.raises(InvalidValueError, match="needs the leader's burden"):
        solve_cells(game, {"threat": np.zeros(2)})
    with pytest.raises(UnknownNameError, match="outcome"):
        solve_cells(game, {"threat": np.zeros(2)}, solve="compare", outputs=["outcmoe"])
