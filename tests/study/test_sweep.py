"""Sweeps: what they go over, what comes back, what is refused at the door."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import (
    AllianceGameError,
    InvalidValueError,
    UnknownNameError,
)
from alliancegame.study import sweep as room
from alliancegame.study.cells import OUTPUTS, SOLVES, STATUSES
from alliancegame.study.sweep import (
    Progress,
    latin_hypercube,
    random_sample,
    sobol,
    sweep,
    zipped,
)
from alliancegame.study.sweeping.axes import read_over
from alliancegame.study.sweeping.blocks import cut
from alliancegame.study.sweeping.progress import in_words
from tests.study.sweep_tools import OVER, PLAN, small


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def found():
    return small()


# --- what comes back -------------------------------------------------------------------------------


def test_every_cell_is_what_the_scalar_solver_gives(game):
    over = {"decay": [0.0, 0.3, 1.0], "threat": [0.0, 0.4, 1.0], "demand": [0.02, 0.05]}
    found = sweep(game, over, PLAN, outputs=["burden", "payoff", "regret"])
    assert found.burden.dims == ("decay", "threat", "demand", "member")
    for decay in over["decay"]:
        for threat in over["threat"]:
            for demand in over["demand"]:
                cell = found.sel(decay=decay, threat=threat, demand=demand)
                plan = PLAN.replace(threat=threat, demand=demand)
                one = ag.respond(game.replace(decay=decay), plan)
                np.testing.assert_allclose(cell.burden, one.burdens, rtol=0, atol=1e-12)
                np.testing.assert_allclose(cell.payoff, one.payoffs, rtol=0, atol=1e-12)
                assert cell.regret <= 1e-9
                assert cell.status in (0, 1)


def test_labels_units_and_provenance(game, found):
    assert list(found.dims) == ["decay", "threat", "member"]
    assert found.member.values.tolist() == list(game.members)
    assert found.member.dtype == object, "labels of any length"
    np.testing.assert_array_equal(found.decay, OVER["decay"])
    assert found.leader_burden.attrs["units"] == "share of GDP"
    assert found.decay.attrs["long_name"] == ag.PARAMETERS["decay"].doc
    a = found.attrs
    assert a["game_hash"] == game.hash
    assert ag.BurdenSharingGame.from_dict(json.loads(a["game"])) == game
    assert json.loads(a["plan"]) == PLAN.to_dict()
    assert a["solve"] == "respond"
    assert a["alliancegame_version"] == ag.__version__
    assert json.loads(a["tolerances"]) == ag.Tolerances().to_dict()
    assert {"processor", "numba", "numpy", "code"} <= set(json.loads(a["environment"]))
    assert "calibrated" in a
    assert "replaced" in a
    assert found.status.attrs["flag_values"] == [-1, *STATUSES]
    assert len(found.status.attrs["flag_meanings"].split()) == 1 + len(STATUSES)


def test_replaced_parameters_are_named(game):
    found = sweep(game.replace(contagion=0.1), {"decay": [0.1]}, PLAN)
    assert json.loads(found.attrs["replaced"]) == {"contagion": 0.1}


def test_codes_have_meanings(game):
    found = sweep(game, {"threat": [0.0, 0.5]}, PLAN, solve="compare")
    flags = found.outcome.attrs
    words = dict(zip(flags["flag_values"], flags["flag_meanings"].split(), strict=True))
    for threat in (0.0, 0.5):
        expected = ag.compare(game, PLAN.replace(threat=threat)).outcome.replace(" ", "_")
        assert words[int(found.outcome.sel(threat=threat))] == expected.replace("-", "_")


@pytest.mark.parametrize("solve", SOLVES)
def test_every_question_can_be_swept(game, solve):
    plan = PLAN if solve == "respond" else ag.Plan()
    found = sweep(game, {"decay": [0.1, 0.4]}, plan, solve=solve)
    expected = {name for name, o in OUTPUTS.items() if o.default and solve in o.solves}
    assert set(found.data_vars) == expected | {"status", "reason"}
    assert (found.status <= 1).all()
    for name in expected:
        assert found[name].dims == ("decay", *OUTPUTS[name].dims)


def test_chunks_do_not_matter_beyond_rounding(found):
    whole = small(chunk=None)
    for name in found.data_vars:
        if found[name].dtype.kind == "f":
            np.testing.assert_allclose(found[name], whole[name], rtol=0, atol=1e-12)


def test_cells_that_fail_are_values_with_a_reason(game):
    found = sweep(game, {"decay": [0.1, -1.0, 0.2]}, PLAN)
    assert found.status.values.tolist() == [0, 4, 0]
    assert "decay" in found.reason.values[1]
    assert found.reason.values[0] == ""
    assert np.isnan(found.leader_payoff.values[1])
    assert np.isnan(found.burden.values[1]).all()
    assert found.verdict.values[1] == -1
    assert np.isfinite(found.leader_payoff.values[[0, 2]]).all()
    why = found.reason.where(found.status > 1, drop=True)
    assert why.decay.values.tolist() == [-1.0]


def test_trust_that_has_gone_has_a_status_of_its_own(game):
    stationary = game.replace(horizon="stationary", decay=0.5)
    found = sweep(stationary, {"threat": [0.0, 0.5]}, PLAN)
    assert found.status.values.tolist() == [0, 3]
    assert "trust" in found.reason.values[1]


def test_a_fault_in_one_cell_stays_there(game, monkeypatch):
    from alliancegame.study.sweeping import piece

    real = piece.solve_cells

    def faulty(game, cells, *arguments, **options):
        if (cells["decay"] == 0.2).any():
            raise ZeroDivisionError("a fault of ours")
        return real(game, cells, *arguments, **options)

    monkeypatch.setattr(piece, "solve_cells", faulty)
    found = sweep(game, {"decay": [0.1, 0.2, 0.3]}, PLAN)
    assert found.status.values.tolist() == [0, 5, 0]
    assert found.reason.values[1] == "ZeroDivisionError: a fault of ours"


# --- what it goes over -----------------------------------------------------------------------------


def test_one_member_plan_fields_and_forms(game):
    ally = game.allies[0]
    over = {
        f"decay[{ally}]": [0.0, 0.5],
        f"threat[{ally}]": [0.0, 1.0],
        "burden": [0.03, 0.04],
        "influence_value": ["log", "share"],
    }
    found = sweep(game, over, outputs=["burden", "trust"])
    assert found.sizes == {
        f"decay[{ally}]": 2, f"threat[{ally}]": 2, "plan_burden": 2, "influence_value": 2,
        "member": game.size,
    }  # fmt: skip
    pick = {f"decay[{ally}]": 0.5, f"threat[{ally}]": 1.0}
    cell = found.sel({**pick, "plan_burden": 0.04, "influence_value": "share"})
    changed = game.replace(decay={ally: 0.5}, influence_value="share")
    one = ag.respond(changed, ag.Plan(threat={ally: 1.0}, burden=0.04))
    np.testing.assert_allclose(cell.burden, one.burdens, rtol=0, atol=1e-12)
    np.testing.assert_allclose(cell.trust, one.operating_trust, rtol=0, atol=1e-12)


def test_keys_that_are_names_of_answers_have_other_labels(game):
    over = {"burden": [0.03], "trust": [0.8, 0.9], "influence": ["council"]}
    found = sweep(game, over, outputs=["burden", "trust", "influence"])
    assert found.sizes["plan_burden"] == 1
    assert found.sizes["initial_trust"] == 2
    assert found.influence_form.values.tolist() == ["council"]
    assert found.burden.dims[-1] == found.trust.dims[-1] == found.influence.dims[-1] == "member"


def test_over_has_precedence_over_the_plan(game):
    found = sweep(game, {"threat": [0.2]}, PLAN.replace(threat=0.9), outputs="leader_payoff")
    assert found.leader_payoff[0] == ag.respond(game, PLAN.replace(threat=0.2)).leader_payoff


def test_zipped_values_share_a_dimension(game):
    pairs = zipped({"decay": [0.1, 0.2, 0.3]}, threat=[1.0, 0.5, 0.0])
    found = sweep(game, {"pair": pairs, "demand": [0.02, 0.05]}, PLAN)
    assert found.leader_payoff.dims == ("pair", "demand")
    assert found.decay.dims == found.threat.dims == ("pair",)
    one = ag.respond(game.replace(decay=0.2), PLAN.replace(threat=0.5, demand=0.02))
    assert float(found.leader_payoff[1, 0]) == pytest.approx(one.leader_payoff, abs=1e-12)
    alone = sweep(game, pairs, PLAN)
    assert alone.leader_payoff.dims == ("case",)


@pytest.mark.parametrize("values", [
    np.array([0, 1]), range(2), (0, 1), pd.Series([0, 1]), pd.Index([0.0, 1.0]), [0, 1.0],
    xr.DataArray([0.0, 1.0]), iter([0, 1]),
], ids=lambda v: type(v).__name__)  # fmt: skip
def test_values_in_any_sequence(game, values):
    assert sweep(game, {"decay": values}, PLAN).decay.values.tolist() == [0.0, 1.0]


PRIORS = {"decay": (0.0, 1.0), "threat": scipy.stats.beta(2, 5), "demand": (0.02, 0.05)}


@pytest.mark.parametrize("method", [latin_hypercube, sobol, random_sample])
def test_samples(game, method):
    found = sweep(game, {"draw": method(PRIORS, 64, seed=1), "umbrella": [0.5, 1.0]}, PLAN)
    assert found.leader_payoff.dims == ("draw", "umbrella")
    assert found.threat.dims == ("draw",)
    assert ((found.demand >= 0.02) & (found.demand <= 0.05)).all()
    assert float(found.threat.mean()) == pytest.approx(2 / 7, abs=0.08)
    again = sweep(game, {"draw": method(PRIORS, 64, seed=1), "umbrella": [0.5, 1.0]}, PLAN)
    xr.testing.assert_identical(found, again)
    other = sweep(game, {"draw": method(PRIORS, 64, seed=2), "umbrella": [0.5, 1.0]}, PLAN)
    assert (found.decay != other.decay).any()
    (axis, _) = json.loads(found.attrs["over"])
    assert axis["made"]["seed"] == 1
    assert axis["made"]["priors"]["threat"] == "beta(2, 5)"


def test_a_latin_hypercube_covers_every_quantile():
    drawn = latin_hypercube({"decay": (0, 1), "threat": scipy.stats.uniform()}, 50, seed=3).draw()
    for column in drawn.columns.values():
        assert sorted(np.floor(column * 50)) == list(range(50))


def test_samples_of_forms_and_unbounded_distributions():
    priors = {"consumption": ["log", "linear"], "decay": scipy.stats.norm(0.4, 0.1)}
    for method in (latin_hypercube, sobol, random_sample):
        drawn = method(priors, 128, seed=5).draw().columns
        assert set(drawn["consumption"]) == {"log", "linear"}
        assert np.isfinite(drawn["decay"]).all()


def test_the_sweeps_seed_serves_samples_without_one(game):
    over = {"a": sobol({"decay": (0, 1)}, 8), "b": sobol({"threat": (0, 1)}, 8)}
    found = sweep(game, over, PLAN, seed=7)
    xr.testing.assert_identical(found, sweep(game, over, PLAN, seed=7))
    assert (found.decay.values != found.threat.values).any(), "two samples are not one"
    assert found.attrs["seed"] == 7
    assert (sweep(game, over, PLAN, seed=8).decay.values != found.decay.values).any()


def test_a_sample_alone(game):
    assert sweep(game, sobol({"decay": (0, 1)}, 4, seed=0), PLAN).leader_payoff.dims == ("sample",)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple), st.integers(1, 60))
def test_chunks_are_runs_of_cells_that_cover_the_grid_once(shape, most):
    blocks = cut(shape, most)
    order = np.arange(np.prod(shape)).reshape(shape)
    seen = [order[blocks.box(index)].ravel() for index in blocks]
    assert [len(cells) for cells in seen] == [blocks.size(index) for index in blocks]
    assert max(len(cells) for cells in seen) <= most
    np.testing.assert_array_equal(np.concatenate(seen), np.arange(np.prod(shape)))


# --- games that are made cell by cell --------------------------------------------------------------


def wealthier(game, cell):
    """A game whose leader is richer by a share that is no parameter of the model."""
    gdp = dict(zip(game.members, game.by_member("gdp"), strict=True))
    gdp[game.leader] *= 1 + cell["growth"]
    return game.replace(gdp=gdp)


def test_derived_games(game):
    over = {"growth": [0.0, 0.5], "decay": [0.1, 0.4], "threat": [0.0, 1.0]}
    found = sweep(game, over, PLAN, derive=wealthier, outputs=["burden"])
    assert found.burden.dims == ("growth", "decay", "threat", "member")
    cell = found.sel(growth=0.5, decay=0.4, threat=1.0)
    one = ag.respond(wealthier(game.replace(decay=0.4), {"growth": 0.5}), PLAN.replace(threat=1.0))
    np.testing.assert_allclose(cell.burden, one.burdens, rtol=0, atol=1e-12)
    assert found.attrs["derived_by"].endswith("wealthier")


def test_a_function_that_raises_fails_its_cell_only(game):
    def fragile(game, cell):
        if cell["growth"] == 1:
            raise KeyError("no data")
        if cell["growth"] == 2:
            return "no game"
        if cell["growth"] == 3:
            return ag.BurdenSharingGame(["USA", "FRA"], "USA", [1, 1], 0.1)
        return game

    found = sweep(game, {"growth": [0, 1, 2, 3], "decay": [0.1, -2]}, PLAN, derive=fragile)
    assert found.status.values[:, 0].tolist() == [0, 5, 4, 4]
    assert (found.status.values[:, 1] == 4).all()
    assert "KeyError: 'no data'" in found.reason.values[1, 0]
    assert "must return a BurdenSharingGame" in found.reason.values[2, 0]
    assert "keep the members" in found.reason.values[3, 0]


# --- progress --------------------------------------------------------------------------------------


def test_progress_is_told_and_silence_is_kept(capsys):
    told: list[Progress] = []
    small(progress=told.append)
    assert [now.done for now in told] == list(range(0, 601, 30))
    assert {now.cells for now in told} == {600}
    assert told[-1].failed == told[-1].resumed == 0
    assert told[-1].rate > 0
    assert told[-1].remaining == 0
    small()
    small(progress=False)
    assert capsys.readouterr() == ("", "")


def test_progress_in_words():
    now = Progress(cells=100_000, done=30_000, resumed=10_000, failed=12, seconds=4.0)
    assert in_words(now) == (
        "30,000 of 100,000 cells, 5,000 a second, 14 s left, 12 without an answer"
    )
    assert "3 h 53 min left" in in_words(Progress(70_001, 1, 0, 0, 0.2))
    assert in_words(Progress(10, 0, 0, 0, 0.0)) == "0 of 10 cells"


def test_an_error_in_the_progress_function_comes_through():
    def broken(now):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        small(progress=broken)


# --- at the door -----------------------------------------------------------------------------------

REFUSED = {
    "no dict": (42, {}, InvalidValueError, "must be a dict"),
    "nothing": ({}, {}, InvalidValueError, "over is empty"),
    "empty values": ({"decay": []}, {}, InvalidValueError, "grid is empty"),
    "single value": ({"decay": 0.3}, {}, InvalidValueError, "list of one"),
    "text": ({"decay": "0.3"}, {}, InvalidValueError, "list of values"),
    "set": ({"decay": {0.1, 0.2}}, {}, InvalidValueError, "list of values"),
    "two dimensions": ({"decay": [[0.1], [0.2]]}, {}, InvalidValueError, r"shape \(2, 1\)"),
    "ragged": ({"decay": [[0.1], [0.2, 0.3]]}, {}, InvalidValueError, "flat list"),
    "nan": ({"decay": [0.1, np.nan]}, {}, InvalidValueError, "value 1 of decay is nan"),
    "infinite": ({"decay": [np.inf]}, {}, InvalidValueError, "must be finite"),
    "bool": ({"decay": [True]}, {}, InvalidValueError, "must be a number"),
    "complex": ({"decay": [1j]}, {}, InvalidValueError, "must be real"),
    "none": ({"decay": [None, 0.1]}, {}, InvalidValueError, "must be a number"),
    "unknown": ({"deacy": [0.1]}, {}, UnknownNameError, "Did you mean 'decay'"),
    "unknown member": ({"decay[DEV]": [0.1]}, {}, UnknownNameError, "member 'DEV'"),
    "unknown form": ({"consumption": ["log", "lin"]}, {}, UnknownNameError, "'lin'"),
    "numbers for a form": ({"consumption": [1]}, {}, InvalidValueError, "names of forms"),
    "names for numbers": ({"decay": ["high"]}, {}, InvalidValueError, "goes over numbers"),
    "key twice": (
        {"decay": [0.1], "a": zipped(decay=[1.0])}, {}, InvalidValueError, "stands twice",
    ),
    "name of a key": (
        {"threat": zipped(decay=[1.0]), "a": zipped(threat=[1.0])}, {}, InvalidValueError, "rename",
    ),
    "name of an answer": ({"payoff": zipped(decay=[1.0])}, {}, InvalidValueError, "another name"),
    "name of labels": ({"member": zipped(decay=[1.0])}, {}, InvalidValueError, "another name"),
    "number as key": ({3: [0.1]}, {}, InvalidValueError, "must be text"),
    "distribution": (
        {"decay": scipy.stats.beta(2, 5)}, {}, InvalidValueError, "how many draws",
    ),
    "no seed": ({"s": sobol({"decay": (0, 1)}, 8)}, {}, InvalidValueError, "needs a seed"),
    "bad seed": ({"decay": [0.1]}, {"seed": -1}, InvalidValueError, "seed must be"),
    "solve": ({"decay": [0.1]}, {"solve": "responnd"}, UnknownNameError, "Did you mean 'respond'"),
    "output": ({"decay": [0.1]}, {"outputs": ["savingss"]}, UnknownNameError, "'savings'"),
    "output of another question": (
        {"decay": [0.1]}, {"outputs": ["outcome"]}, UnknownNameError, "of solve='respond'",
    ),
    "no burden": ({"decay": [0.1]}, {"plan": ag.Plan()}, InvalidValueError, "leader's burden"),
    "chosen by the solver": (
        {"threat": [0.1]}, {"solve": "stackelberg"}, InvalidValueError, "chooses threat itself",
    ),
    "too many": (
        {"decay": [0.1] * 100, "threat": [0.1] * 101}, {"limit": 10_000}, InvalidValueError,
        r"10,100 cells \(100 decay x 101 threat\)",
    ),
    "workers": ({"decay": [0.1]}, {"workers": 0}, InvalidValueError, "workers must be"),
    "half a worker": ({"decay": [0.1]}, {"workers": 1.5}, InvalidValueError, "workers must be"),
    "chunk": ({"decay": [0.1]}, {"chunk": 0}, InvalidValueError, "chunk must be"),
    "both": ({"decay": [0.1]}, {"workers": 2, "cluster": "a:1"}, InvalidValueError, "not both"),
    "address as store": ({"decay": [0.1]}, {"store": "s3://b/x"}, InvalidValueError, "a folder"),
    "plan": ({"decay": [0.1]}, {"plan": 0.3}, InvalidValueError, "must be a Plan"),
    "derive": ({"decay": [0.1]}, {"derive": 3}, InvalidValueError, "must be a function"),
    "tolerances": ({"decay": [0.1]}, {"tolerances": 1}, InvalidValueError, "Tolerances"),
    "progress": ({"decay": [0.1]}, {"progress": "bar"}, InvalidValueError, "progress must be"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_at_the_door(game, case, monkeypatch):
    over, options, kind, words = REFUSED[case]
    monkeypatch.setattr(room._Run, "_solve", lambda *_: pytest.fail("something was solved"))
    options = {"plan": PLAN} | options
    with pytest.raises(kind, match=words) as caught:
        sweep(game, over, **options)
    assert isinstance(caught.value, AllianceGameError)


def test_not_a_game():
    with pytest.raises(InvalidValueError, match="sweep needs a game such as"):
        sweep("nato-2024", {"decay": [0.1]}, PLAN)  # type: ignore[arg-type]


def test_many_cells_need_consent(game):
    over = {"decay": np.linspace(0, 1, 11)}
    with pytest.raises(InvalidValueError, match="allow_large=True"):
        sweep(game, over, PLAN, limit=10)
    assert sweep(game, over, PLAN, limit=10, allow_large=True).sizes["decay"] == 11


def test_much_memory_needs_consent_or_a_store(game, monkeypatch, tmp_path):
    monkeypatch.setattr(room, "IN_MEMORY", 100)
    with pytest.raises(InvalidValueError, match="give a store"):
        sweep(game, {"decay": [0.1, 0.2]}, PLAN)
    sweep(game, {"decay": [0.1, 0.2]}, PLAN, allow_large=True)
    sweep(game, {"decay": [0.1, 0.2]}, PLAN, store=tmp_path / "s.zarr")


BAD_CASES = {
    "no columns": (lambda: zipped(), "at least one column"),
    "lengths": (lambda: zipped(decay=[1, 2], threat=[1]), "decay has 2, threat has 1"),
    "twice": (lambda: zipped({"decay": [1]}, decay=[1]), "decay twice"),
    "power of 2": (lambda: sobol({"decay": (0, 1)}, 100), "Use 64 or 128"),
    "n": (lambda: latin_hypercube({"decay": (0, 1)}, 0), "n >= 1"),
    "float n": (lambda: latin_hypercube({"decay": (0, 1)}, 1e3), "n >= 1"),
    "no priors": (lambda: sobol({}, 8), "dict from keys to priors"),
    "prior": (lambda: sobol({"decay": 0.3}, 8), "frozen distribution"),
    "range": (lambda: sobol({"decay": (1, 0)}, 8), "low < high"),
    "generator": (lambda: sobol({"decay": (0, 1)}, 8, np.random.default_rng(1)), "whole number"),
    "not finite": (
        lambda: random_sample({"decay": scipy.stats.norm(0, np.inf)}, 8, seed=1).draw(), "finite",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CASES)
def test_bad_cases_and_samples(case):
    make, words = BAD_CASES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with pytest.raises(InvalidValueError, match=words):
            make()


def test_new_random_variables_of_scipy_are_priors():
    stats = pytest.importorskip("scipy.stats")
    if not hasattr(stats, "Normal"):
        pytest.skip("a SciPy without them")
    drawn = sobol({"decay": stats.Normal(mu=0.4, sigma=0.01)}, 64, seed=1).draw()
    assert drawn.columns["decay"].mean() == pytest.approx(0.4, abs=0.002)


def test_importing_sweeps_loads_nothing_slow():
    slow = ["xarray", "zarr", "pandas", "numba", "dask", "distributed", "rich", "sympy"]
    code = f"""
import sys
import alliancegame.study.sweep
loaded = [name for name in {slow} if name in sys.modules]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_design_reads_what_is_given_once():
    design = read_over({"a": zipped(decay=[0.1, 0.2]), "threat": [0.5]})
    assert design.dims == ("a", "threat")
    assert design.shape == (2, 1)
    assert design.count == 2
