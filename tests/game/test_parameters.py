"""Parameters: ranges in words, reading of values by member, checks at the door."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.game.game import LATER_PARAMETERS, PARAMETERS
from alliancegame.game.parameters import Parameter, as_number, by_member_values, validate

LABELS = ("USA", "FRA", "DEU")


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({}, "any finite number"),
        ({"low": 0}, ">= 0"),
        ({"low": 0, "open_low": True}, "> 0"),
        ({"low": 0, "high": 1}, "in [0, 1]"),
        ({"low": -20, "high": 1, "open_low": True, "open_high": True}, "in (-20, 1)"),
    ],
)
def test_range_in_words(bounds: dict[str, float], words: str) -> None:
    assert Parameter("p", "p", "scalar", 0.0, "doc", **bounds).admissible == words


def test_open_and_closed_bounds() -> None:
    closed = Parameter("p", "p", "scalar", 0.0, "doc", low=0, high=1)
    opened = Parameter("p", "p", "scalar", 0.0, "doc", low=0, high=1, open_low=True, open_high=True)
    values = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, math.nan, math.inf])
    assert closed.contains(values).tolist() == [False, True, True, True, False, False, False]
    assert opened.contains(values).tolist() == [False, False, True, False, False, False, False]


@pytest.mark.parametrize(
    "value", [1.5, np.float32(1.5), Fraction(3, 2), Decimal("1.5"), np.array(1.5)]
)
def test_numbers_of_every_kind(value: object) -> None:
    assert as_number(value, "gdp") == 1.5


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 1j, np.complex128(1), True, np.True_, "3", b"3", None, [1.0],
     object(), 10**400, Decimal("nan")],
)  # fmt: skip
def test_no_numbers(value: object) -> None:
    with pytest.raises(InvalidValueError, match="gdp of FRA must be"):
        as_number(value, "gdp of FRA")


def test_scalars_stay_scalars() -> None:
    assert by_member_values(2, what="gdp", members=LABELS) == 2.0


@pytest.mark.parametrize(
    "value",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        np.array([1.0, 2.0, 3.0]),
        np.array([1, 2, 3], dtype=np.int32),
        {"DEU": 3, "USA": 1, "FRA": 2},
        pd.Series({"DEU": 3.0, "USA": 1.0, "FRA": 2.0}),
        pd.Series([1, 2, 3], index=list(LABELS)),
    ],
)
def test_arrays_and_labels_come_in_member_order(value: object) -> None:
    read = by_member_values(value, what="gdp", members=LABELS)
    assert isinstance(read, np.ndarray)
    assert read.dtype == np.float64
    assert read.tolist() == [1.0, 2.0, 3.0]
    assert not read.flags.writeable


def test_given_arrays_are_copied() -> None:
    given = np.array([1.0, 2.0, 3.0])
    read = by_member_values(given, what="gdp", members=LABELS)
    given[0] = 9.0
    assert read[0] == 1.0  # type: ignore[index]


def test_labels_may_be_left_out_only_where_that_means_something() -> None:
    with pytest.raises(InvalidValueError, match="gdp has no value for USA, DEU"):
        by_member_values({"FRA": 2}, what="gdp", members=LABELS)
    assert list(
        by_member_values({"FRA": 2, "DEU": 3}, what="decay", members=LABELS, optional=["USA"])
    ) == [0.0, 2.0, 3.0]  # type: ignore[arg-type]
    assert list(by_member_values({"FRA": 2}, what="threat", members=LABELS, fill=0.5)) == [
        0.5,
        2.0,
        0.5,
    ]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0, 2.0], r"3 numbers in member order.*shape \(2,\)"),
        ([[1.0, 2.0, 3.0]], r"shape \(1, 3\)"),
        ([[1], [2, 3], [4]], "unequal length"),
        ([1.0, math.nan, 3.0], "gdp of FRA must be finite"),
        (np.array([1.0, 2.0, math.inf]), "gdp of DEU must be finite"),
        (np.array([1, 2j, 3]), "must be real"),
        ([1.0, "2", 3.0], "gdp of FRA must be a number, got '2'"),
        (np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]), "masked"),
        ({"USA": 1, "FRA": None, "DEU": 3}, "gdp of FRA must be a number"),
        ({1, 2, 3}, "must be a number"),
    ],
)
def test_bad_values_by_member(value: object, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        by_member_values(value, what="gdp", members=LABELS)


def test_unknown_labels_suggest_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown member 'DEV' in gdp.*Did you mean 'DEU'"):
        by_member_values({"USA": 1, "FRA": 2, "DEV": 3}, what="gdp", members=LABELS)


def test_range_errors_name_the_member() -> None:
    credibility = PARAMETERS["credibility"]
    with pytest.raises(
        InvalidValueError, match=r"credibility for DEU must be in \[0, 1\], got 1.2"
    ):
        validate(credibility, [9.0, 0.5, 1.2], LABELS, "USA")
    assert validate(credibility, [9.0, 0.5, 1.0], LABELS, "USA")[0] == 9.0  # The leader has none.
    with pytest.raises(InvalidValueError, match=r"credibility must be in \[0, 1\], got -1"):
        validate(credibility, -1, LABELS, "USA")


def test_forms_are_picked_by_name() -> None:
    consumption, influence = PARAMETERS["consumption"], PARAMETERS["influence"]
    assert validate(consumption, "linear", LABELS, "USA") == "linear"
    with pytest.raises(UnknownNameError, match="Did you mean 'linear'"):
        validate(consumption, "lineal", LABELS, "USA")
    with pytest.raises(InvalidValueError, match="one of 'log', 'linear', got 3"):
        validate(consumption, 3, LABELS, "USA")
    assert validate(influence, "hub", LABELS, "USA") == "hub"


def test_registry_is_complete_and_consistent() -> None:
    for name, parameter in PARAMETERS.items():
        assert parameter.name == name
        assert parameter.doc
        assert parameter.latex or parameter.scope == "choice"
        if parameter.scope == "choice":
            assert parameter.default in parameter.choices
        elif parameter.default is not None:
            assert parameter.contains(np.float64(parameter.default))  # type: ignore[arg-type]
    assert not LATER_PARAMETERS & set(PARAMETERS)
    assert [name for name, p in PARAMETERS.items() if p.default is None] == [
        "gdp",
        "security_weight",
    ]
