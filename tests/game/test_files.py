"""Model files: what is read, and how every kind of bad file is refused at the door."""

from __future__ import annotations

from pathlib import Path

import pytest

from alliancegame.errors import ModelFileError
from alliancegame.game.files import parse, read, write
from alliancegame.game.plan import Plan
from alliancegame.game.spec import DEFAULT, ModelSpec, Origin

TABLE = """member,name,year,gdp,gdp_mn,spend_mn,burden,empty
L,Leader,2020,19,19000,570,0.03,
A,Ally A,2020,9,9000,180,0.02,
B,Ally B,2020,4,4000,40,0.01,
L,Leader,2021,20,20000,700,0.035,
A,Ally A,2021,10,10000,250,0.025,x
B,Ally B,2021,5,5000,60,0.012,7
"""

GOOD = """schema = 1
[model]
name = "small"
title = "A small model"
description = "Words."
year = 2021
leader = "L"

[members]
L = "Leader"
A = "Ally A"
B = "Ally B"

[data.t]
title = "A table"
source = "the test"
terms = "free"
file = "t.csv"
where = { year = 2021 }

[parameters]
gdp = { data = "t", status = "observed", source = "the test" }
spillin = { value = 1, status = "assumed", source = "s" }
influence_weight = { value = 0.002, by_member = { L = 0.004 }, status = "assumed", source = "s" }
consumption = { value = "log", status = "assumed", source = "s" }
decay = { by_member = { A = 0.1, B = 0.2 }, status = "assumed", source = "s" }

[observed]
burden = { data = "t", status = "observed", source = "the test" }

[calibration]
free = "security_weight"

[plan]
threat = { A = 0.5 }
demand = 0.04
status = "assumed"
source = "s"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def parsed(folder: Path, text: str) -> ModelSpec:
    return parse(text, folder / "small.toml")


def test_a_good_file(folder: Path) -> None:
    spec = parsed(folder, GOOD)
    assert (spec.name, spec.title, spec.description) == ("small", "A small model", "Words.")
    assert (spec.year, spec.leader) == (2021, "L")
    assert dict(spec.members) == {"L": "Leader", "A": "Ally A", "B": "Ally B"}
    assert spec.values["gdp"] == {"L": 20.0, "A": 10.0, "B": 5.0}
    assert spec.values["spillin"] == 1.0
    assert spec.values["influence_weight"] == {"L": 0.004, "A": 0.002, "B": 0.002}
    assert spec.values["decay"] == {"A": 0.1, "B": 0.2}
    assert spec.observed == {"L": 0.035, "A": 0.025, "B": 0.012}
    assert spec.free == "security_weight"
    assert spec.origins["gdp"] == Origin("observed", "the test")
    assert spec.origins["security_weight"].status == "calibrated"
    assert spec.plan == Plan(threat={"A": 0.5}, demand=0.04)
    assert spec.data["t"].terms == "free"
    assert len(spec.data["t"].sha256) == len(spec.sha256) == 64


def test_provenance_covers_every_parameter_and_no_machine_path(folder: Path) -> None:
    from alliancegame.game.game import PARAMETERS

    provenance = parsed(folder, GOOD).provenance()
    assert set(provenance["parameters"]) == set(PARAMETERS)
    assert provenance["parameters"]["cohesion"] == {
        "status": DEFAULT.status,
        "source": DEFAULT.source,
    }
    assert provenance["calibrated"] == ["security_weight"]
    assert provenance["file"] == "small.toml"
    assert str(folder) not in repr(provenance)


def test_columns_can_be_scaled_and_divided(folder: Path) -> None:
    gives = """
[data.t.gives]
gdp = { column = "gdp_mn", multiply = 0.001 }
burden = { column = "spend_mn", divide_by = "gdp_mn" }
"""
    spec = parsed(folder, GOOD + gives)
    assert spec.values["gdp"] == {"L": 20.0, "A": 10.0, "B": 5.0}
    assert spec.observed == {"L": 0.035, "A": 0.025, "B": 0.012}


def test_members_may_be_the_rows_of_a_table(folder: Path) -> None:
    text = GOOD.replace('leader = "L"', 'leader = "L"\nmembers = "t"')
    text = text.replace('[members]\nL = "Leader"\nA = "Ally A"\nB = "Ally B"\n', "")
    text = text.replace('file = "t.csv"', 'file = "t.csv"\nname = "name"')
    assert dict(parsed(folder, text).members) == {"L": "Leader", "A": "Ally A", "B": "Ally B"}


def test_several_tables_complete_one_another(folder: Path) -> None:
    (folder / "t.csv").write_text(TABLE.replace("B,Ally B,2021", "Z,Ally Z,2021"), encoding="utf-8")
    (folder / "u.csv").write_text("code,gdp,burden\nB,50,0.05\nA,99,0.9\n", encoding="utf-8")
    more = '[data.u]\ntitle="U"\nsource="s"\nterms="t"\nfile="u.csv"\nmember="code"\n'
    text = GOOD.replace('data = "t"', 'data = ["t", "u"]') + more
    assert parsed(folder, text).values["gdp"] == {"L": 20.0, "A": 10.0, "B": 50.0}


def test_the_leader_may_be_blank_where_only_allies_count(folder: Path) -> None:
    text = GOOD.replace("decay = { by_member = { A = 0.1, B = 0.2 }", 'decay = { data = "t"')
    text += '[data.t.gives]\ndecay = { column = "empty" }\n'
    (folder / "t.csv").write_text(TABLE.replace("0.025,x", "0.025,3"), encoding="utf-8")
    assert parsed(folder, text).values["decay"] == {"A": 3.0, "B": 7.0}


def test_a_byte_order_mark_is_no_obstacle(folder: Path) -> None:
    (folder / "t.csv").write_text(TABLE, encoding="utf-8-sig")
    assert parsed(folder, GOOD).values["gdp"] == {"L": 20.0, "A": 10.0, "B": 5.0}


def test_written_files_read_the_same(folder: Path) -> None:
    spec = parsed(folder, GOOD)
    write(spec, folder / "copy.toml")
    again = read(folder / "copy.toml")
    for field in ("name", "title", "description", "year", "leader", "members", "values"):
        assert getattr(again, field) == getattr(spec, field), field
    for field in ("origins", "observed", "observed_origin", "plan", "plan_origin"):
        assert getattr(again, field) == getattr(spec, field), field
    assert again.free == spec.free
    assert again.data["t"].terms == "free"


OBSERVED = '[observed]\nburden = { data = "t", status = "observed", source = "the test" }\n'


def replaced(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


BAD_FILES = {
    "malformed": (replaced("schema = 1", "schema = "), ["not well-formed TOML", "line 1"]),
    "duplicate member": (
        replaced('B = "Ally B"', 'A = "Ally B"'),
        ["not well-formed TOML", "stands twice", "line 12"],
    ),
    "no schema": (replaced("schema = 1", ""), ["schema is missing", "schema = 1"]),
    "unknown schema": (
        replaced("schema = 1", "schema = 2"),
        ["schema is 2", "reads only schema 1"],
    ),
    "schema of wrong type": (
        replaced("schema = 1", 'schema = "1"'),
        ["schema must be a whole number", 'the string "1"'],
    ),
    "unknown section": (GOOD + "[plans]\n", ["plans is not known", "'plan'", "Allowed"]),
    "unknown model key": (
        replaced('leader = "L"', 'leader = "L"\nledaer = 1'),
        ["model.ledaer", "Did you mean 'leader'?"],
    ),
    "section of wrong type": (
        "schema = 1\nmodel = 3\n[parameters]\n",
        ["model must be a table", "the integer 3"],
    ),
    "no leader": (replaced('leader = "L"\n', ""), ["model.leader is missing"]),
    "leader not a member": (
        replaced('leader = "L"', 'leader = "l"'),
        ["model.leader must be a member", "(L, A, B)", '"l"', "Did you mean 'L'?"],
    ),
    "year of wrong type": (replaced("year = 2021", "year = true"), ["model.year", "boolean true"]),
    "one member": (
        replaced('A = "Ally A"\nB = "Ally B"\n', ""),
        ["members must name at least two members, got 1"],
    ),
    "no members": (
        replaced('[members]\nL = "Leader"\nA = "Ally A"\nB = "Ally B"\n', ""),
        ["members must be given once"],
    ),
    "member's name of wrong type": (replaced('A = "Ally A"', "A = 1"), ["members.A", "string"]),
    "unknown parameter": (
        replaced("decay =", "decya ="),
        ["parameters.decya is not a parameter", "Did you mean 'decay'?", "Known: "],
    ),
    "bare number": (
        replaced('{ value = 1, status = "assumed", source = "s" }', "1"),
        ["parameters.spillin must be a table", "the integer 1", "status"],
    ),
    "no status": (
        replaced('value = 1, status = "assumed"', "value = 1"),
        ["spillin.status is missing"],
    ),
    "bad status": (
        replaced('value = 1, status = "assumed"', 'value = 1, status = "assume"'),
        ["spillin.status", "observed, calibrated, assumed", "Did you mean 'assumed'?"],
    ),
    "no source": (
        replaced('= 1, status = "assumed", source = "s"', '= 1, status = "assumed"'),
        ["spillin.source is missing"],
    ),
    "empty source": (replaced('source = "s"', 'source = ""'), ["source must be a non-empty"]),
    "unknown entry key": (
        replaced("{ value = 1,", "{ value = 1, sorce = 2,"),
        ["parameters.spillin.sorce", "Did you mean 'source'?"],
    ),
    "text for a number": (
        replaced("value = 1,", 'value = "1",'),
        ["spillin.value must be a number", 'the string "1"'],
    ),
    "boolean for a number": (replaced("value = 1,", "value = true,"), ["the boolean true"]),
    "nan": (replaced("value = 1,", "value = nan,"), ["spillin.value must be finite", "nan"]),
    "infinite": (replaced("value = 1,", "value = inf,"), ["spillin.value must be finite", "inf"]),
    "number for a form": (
        replaced('value = "log"', "value = 1"),
        ["consumption.value must be a non-empty string", "the integer 1"],
    ),
    "form by member": (
        replaced('{ value = "log"', '{ by_member = { L = "log" }'),
        ["consumption.by_member is not possible"],
    ),
    "value and data": (
        replaced('gdp = { data = "t"', 'gdp = { value = 1, data = "t"'),
        ["parameters.gdp must have one of"],
    ),
    "by_member for a stranger": (
        replaced("{ L = 0.004 }", "{ LL = 0.004 }"),
        ["influence_weight.by_member.LL", "Allowed: L, A, B"],
    ),
    "by_member incomplete": (
        replaced("{ A = 0.1, B = 0.2 }", "{ A = 0.1 }"),
        ["decay.by_member has no number for B"],
    ),
    "congested value with exceptions": (
        replaced("{ value = 1,", "{ value = 1, by_member = { A = 2 },"),
        ["spillin.by_member cannot stand beside value", "congestion"],
    ),
    "no gdp": (
        replaced('gdp = { data = "t", status = "observed", source = "the test" }\n', ""),
        ["parameters.gdp is missing"],
    ),
    "unknown table": (
        replaced('gdp = { data = "t"', 'gdp = { data = "tt"'),
        ["gdp.data must be a data table", '"tt"'],
    ),
    "table of wrong type": (replaced('gdp = { data = "t"', "gdp = { data = 1"), ["the integer 1"]),
    "missing csv": (
        replaced('file = "t.csv"', 'file = "tt.csv"'),
        ["data.t.file", "tt.csv", "Did you mean 't.csv'?"],
    ),
    "no terms": (replaced('terms = "free"\n', ""), ["data.t.terms is missing"]),
    "unknown data key": (replaced("where =", "were ="), ["data.t.were", "Did you mean 'where'?"]),
    "columns without a file": (replaced('file = "t.csv"\n', ""), ["data.t.where needs a file"]),
    "missing member column": (
        replaced('file = "t.csv"', 'file = "t.csv"\nmember = "membr"'),
        ["data.t.member must be a column of t.csv", "Did you mean 'member'?"],
    ),
    "missing name column": (
        replaced('file = "t.csv"', 'file = "t.csv"\nname = "nom"'),
        ["data.t.name must be a column of t.csv"],
    ),
    "missing year": (
        replaced("{ year = 2021 }", "{ year = 2022 }"),
        ["data.t.where.year = 2022 is in no row of t.csv", "2020, 2021"],
    ),
    "missing filter column": (
        replaced("{ year = 2021 }", "{ yaer = 2021 }"),
        ["data.t.where must be a column of t.csv", "Did you mean 'year'?"],
    ),
    "filter of wrong type": (
        replaced("{ year = 2021 }", "{ year = 2021.5 }"),
        ["data.t.where.year must be text or a whole number", "the float 2021.5"],
    ),
    "two rows for a member": (
        replaced("where = { year = 2021 }", ""),
        ["t.csv, line 5: duplicate member 'L', first on line 2"],
    ),
    "missing member": (
        replaced('B = "Ally B"', 'C = "Ally C"').replace("B = 0.2", "C = 0.2"),
        ["parameters.gdp.data has no row for member 'C' in t.csv"],
    ),
    "missing column": (
        GOOD + '[data.t.gives]\ngdp = { column = "gpd" }\n',
        ["data.t.gives.gdp.column must be a column of t.csv", "Did you mean 'gdp'?"],
    ),
    "column that nobody names": (
        replaced("decay = { by_member = { A = 0.1, B = 0.2 }", 'decay = { data = "t"'),
        ["data.t has no column 'decay' in t.csv", "Columns: member, name"],
    ),
    "blank cell": (
        GOOD + '[data.t.gives]\nburden = { column = "empty" }\n',
        ["t.csv, line 5: empty of L is blank"],
    ),
    "cell that is no number": (
        replaced("decay = { by_member = { A = 0.1, B = 0.2 }", 'decay = { data = "t"')
        + '[data.t.gives]\ndecay = { column = "empty" }\n',
        ["t.csv, line 6: empty of A is not a number: 'x'"],
    ),
    "unknown gives key": (
        GOOD + '[data.t.gives]\ngdp = { column = "gdp", times = 2 }\n',
        ["data.t.gives.gdp.times", "Allowed: column, multiply, divide_by"],
    ),
    "observed without burden": (
        replaced('burden = { data = "t", status = "observed", source = "the test" }', ""),
        ["observed.burden is missing"],
    ),
    "one burden for all": (
        replaced('burden = { data = "t"', "burden = { value = 0.02"),
        ["observed.burden must be given by member"],
    ),
    "negative burden": (
        replaced('burden = { data = "t"', "burden = { by_member = { L = 0.03, A = -0.02, B = 0 }"),
        ["observed.burden of A must be >= 0", "-0.02"],
    ),
    "free what is no weight": (
        replaced('free = "security_weight"', 'free = "security_wieght"'),
        ["calibration.free must be one of the weights", "Did you mean 'security_weight'?"],
    ),
    "free what is given": (
        replaced('free = "security_weight"', 'free = "influence_weight"'),
        ["calibration.free is influence_weight, which [parameters] also gives"],
    ),
    "calibration without observations": (
        replaced(OBSERVED, ""),
        ["calibration needs observed burdens"],
    ),
    "plan for a stranger": (
        replaced("{ A = 0.5 }", "{ C = 0.5 }"),
        ["plan.threat.C", "Allowed: A, B"],
    ),
    "plan for the leader": (replaced("{ A = 0.5 }", "{ L = 0.5 }"), ["plan.threat.L"]),
    "threat above 1": (replaced("{ A = 0.5 }", "1.5"), ["threat", "in [0, 1]", "1.5"]),
    "demand of 0": (replaced("demand = 0.04", "demand = 0"), ["demand", "> 0"]),
    "demand of wrong type": (replaced("demand = 0.04", 'demand = "4%"'), ["plan.demand", '"4%"']),
    "unknown plan key": (
        replaced("demand = 0.04", "demnad = 0.04"),
        ["plan.demnad", "Did you mean 'demand'?"],
    ),
    "plan without status": (
        replaced('demand = 0.04\nstatus = "assumed"', "demand = 0.04"),
        ["plan.status is missing"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_with_place_value_and_remedy(folder: Path, case: str) -> None:
    text, words = BAD_FILES[case]
    with pytest.raises(ModelFileError) as caught:
        parsed(folder, text)
    message = str(caught.value)
    assert message.startswith("small.toml: ")
    for word in words:
        assert word in message


BAD_TABLES = {
    "empty": ("", ["t.csv is empty"]),
    "not text": (b"\xff\xfe\x00", ["not a UTF-8 CSV table"]),
    "blank member": (TABLE.replace("A,Ally A,2021", ",Ally A,2021"), ["line 6: member is blank"]),
    "short row": (
        TABLE.replace("2021,10,10000,250,0.025,x", "2021"),
        ["line 6: gdp of A is blank"],
    ),
    "thousands": (TABLE.replace(",10,10000", ',"1,000",10000'), ["gdp of A", "'1,000'", "1234.5"]),
    "nan": (TABLE.replace(",10,10000", ",nan,10000"), ["line 6: gdp of A must be finite", "'nan'"]),
    "infinite": (TABLE.replace(",10,10000", ",inf,10000"), ["gdp of A must be finite"]),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_are_refused_with_file_line_and_column(folder: Path, case: str) -> None:
    content, words = BAD_TABLES[case]
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / "t.csv").write_bytes(raw)
    with pytest.raises(ModelFileError) as caught:
        parsed(folder, GOOD)
    for word in words:
        assert word in str(caught.value)


def test_division_by_zero_names_the_cell(folder: Path) -> None:
    (folder / "t.csv").write_text(TABLE.replace(",10000,", ",0,"), encoding="utf-8")
    text = GOOD + '[data.t.gives]\nburden = { column = "spend_mn", divide_by = "gdp_mn" }\n'
    with pytest.raises(ModelFileError, match=r"line 6: gdp_mn of A is 0 and cannot divide"):
        parsed(folder, text)


def test_a_plan_may_have_a_tariff(folder: Path) -> None:
    assert parsed(folder, replaced("demand = 0.04", "tariff = 0.1")).plan.tariff == 0.1


def test_missing_and_undecodable_files(folder: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.toml: the model file cannot be read"):
        read(folder / "none.toml")
    (folder / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelFileError, match=r"bytes\.toml: not a UTF-8 text file"):
        read(folder / "bytes.toml")
