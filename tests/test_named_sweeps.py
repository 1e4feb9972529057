"""The named sweeps of `benchmarks/sweeps`: every file reads, wrong ones are refused, one is run."""

from __future__ import annotations

import copy
import tomllib

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.study.cells import check_key
from alliancegame.study.outcomes import OUTCOMES
from benchmarks.sweeps import __main__ as command
from benchmarks.sweeps.run import differing, run
from benchmarks.sweeps.schema import FOLDER, SweepFileError, load, names, parse

SMALL = "three-allies-decay-threat"


@pytest.mark.parametrize("name", names())
def test_every_file_reads_and_its_axes_belong_to_its_model(name):
    named = load(name)
    game = named.game()
    assert named.title
    assert named.pictures
    for axis in named.axes.values():
        keys = [key for key in named.axes if named.axes[key] is axis] if "from" in axis else []
        for key in keys:
            check_key(game, key)


def content() -> dict:
    return tomllib.loads((FOLDER / f"{SMALL}.toml").read_text(encoding="utf-8"))


def changed(*path: str, to: object) -> dict:
    made = copy.deepcopy(content())
    table = made
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = to
    return made


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (changed("tittle", to="x"), UnknownNameError, "unknown key 'tittle'. Did you mean 'title'?"),
        (changed("plan", "thret", to=0.5), UnknownNameError, "'thret' of [plan]. Did you mean 'threat'?"),
        (changed("over", "decay", "fromm", to=0), UnknownNameError, "'fromm' of the axis 'decay'"),
        (changed("over", "decay", to={"from": 0, "to": 1}), InvalidValueError, "one of these sets"),
        (changed("over", "decay", to=[0, 1]), InvalidValueError, "must be a table like"),
        (changed("over", "decay", "count", to=1), InvalidValueError, "count of the axis 'decay'"),
        (changed("over", "decay", "from", to="0"), InvalidValueError, "must be a number, got '0'"),
        (changed("over", to={}), InvalidValueError, "at least one axis"),
        (changed("schema", to=2), InvalidValueError, "schema must be 1, got 2"),
        (changed("model", to="nato-2042"), UnknownNameError, "Did you mean 'nato-2024'?"),
        (changed("solve", to="comparee"), UnknownNameError, "Did you mean 'compare'?"),
        (changed("outputs", to=["outcom"]), UnknownNameError, "Did you mean 'outcome'?"),
        (changed("outputs", to="outcome"), InvalidValueError, "must be a list of names"),
        (changed("pictures", to=["regime_map"]), UnknownNameError, "Did you mean 'regime-map'?"),
        (changed("pictures", to=["uncertainty"]), InvalidValueError, "needs one axis, a sample"),
        (changed("pictures", to=["delta_payoff"]), InvalidValueError, "add it to outputs"),
        (changed("recalibrate", to="yes"), InvalidValueError, "must be of type bool"),
        ({k: v for k, v in content().items() if k != "model"}, InvalidValueError, "'model' is missing"),
        (
            changed("over", to={"draw": {"sample": "sobbol", "count": 8, "seed": 0, "priors": {}}}),
            UnknownNameError,
            "Did you mean 'sobol'?",
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_key_and_remedy(wrong, error, words):
    with pytest.raises(error) as caught:
        parse("wrong", wrong)
    assert words in str(caught.value)


def test_an_error_names_the_file(tmp_path):
    (tmp_path / "mine.toml").write_text('schema = 1\ntitel = "x"\n', encoding="utf-8")
    with pytest.raises(SweepFileError, match=r"mine\.toml: unknown key 'titel'.*'title'"):
        load("mine", tmp_path)
    (tmp_path / "broken.toml").write_text("schema = = 1", encoding="utf-8")
    with pytest.raises(SweepFileError, match=r"broken\.toml is not TOML"):
        load("broken", tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean 'mine'"):
        load("mien", tmp_path)


@pytest.mark.parametrize(
    "axis",
    [
        {"values": [0.0, 0.5]},
        {"cases": {"decay": [0.1, 0.2], "threat": [0.5, 1.0]}},
        {"sample": "sobol", "count": 8, "seed": 3, "priors": {"decay": "uniform(0,1)"}},
    ],
)
def test_other_axes_read(axis):
    wanted = content() | {"over": {"axis": axis}, "pictures": []}
    assert parse("axis", wanted).over()


def test_a_named_sweep_runs_into_a_store_with_pictures_and_a_line(tmp_path):
    named = load(SMALL)
    done = run(named, tmp_path)
    assert done.store == tmp_path / f"{SMALL}.zarr"
    assert {path.name for path in done.pictures} == {
        f"{SMALL}.{picture}.{kind}"
        for picture in ("regime-map", "gain_usd_bn")
        for kind in ("png", "pdf")
    }
    assert all(path.stat().st_size > 10_000 for path in done.pictures)
    assert done.line.startswith(named.title)
    assert "differ" not in done.line  # The sweep and the map solve in different orders, and agree.
    cell = done.found.sel(decay=0.4, threat=0.5, method="nearest")
    alone = ag.compare(
        named.game().replace(decay=float(cell.decay)), named.plan.replace(threat=float(cell.threat))
    )
    assert OUTCOMES[int(cell.outcome)] == alone.outcome
    assert float(cell.gain_usd_bn) == pytest.approx(alone.gain_usd_bn, abs=1e-9)


def test_recalibrated_cells_are_those_of_the_map(tmp_path):
    wanted = content() | {"recalibrate": True, "pictures": []}
    wanted["over"] = {
        "return_spillin": {"from": 0.2, "to": 0.8, "count": 4},
        "threat": {"from": 0.1, "to": 1.0, "count": 3},
    }
    named = parse("recalibrated", wanted)
    found = run(named, tmp_path).found
    regions = ag.regime_map(
        named.game(), ("return_spillin", (0.2, 0.8)), ("threat", (0.1, 1.0)), named.plan, (4, 3),
        recalibrate=True,
    )  # fmt: skip
    assert differing(found, regions.codes) == 0
    np.testing.assert_allclose(found.gain_usd_bn.values.T, regions.gains_usd_bn, atol=1e-8)


def test_the_command_lists_and_refuses(capsys):
    assert command.main(["--list"]) == 0
    assert set(names()) == {line.partition(":")[0] for line in capsys.readouterr().out.splitlines()}
    assert command.main(["no-such-sweep"]) == 1
    assert "unknown sweep 'no-such-sweep'" in capsys.readouterr().err
