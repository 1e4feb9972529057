"""Kernels compiled ahead in processes: found by later loads, and missed by nobody where it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alliancegame.payoff.form import Form
from alliancegame.solve import compile_ahead as ahead

FORMS = [Form(), Form("linear"), Form("log", "share")]


def test_what_is_missing_is_named_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {FORMS[0]: False, FORMS[1]: True, FORMS[2]: False}
    monkeypatch.setattr(ahead, "kept", lambda form, group: known[form])
    assert ahead.missing([FORMS[2], *FORMS, FORMS[0]]) == [FORMS[2], FORMS[0]]
    monkeypatch.setattr(ahead, "kept", lambda form, group: None)  # Nothing can be kept.
    assert ahead.missing(FORMS) == []


STAND_IN = """
import json, sys
sys.path[:] = json.loads(sys.stdin.readline())
for line in sys.stdin:
    {does}
    print("done", flush=True)
"""


@pytest.mark.parametrize(
    ("does", "told"),
    [("pass", 3), ("sys.exit(1)", 0), ("open({first!r}, 'x')", 1)],
)
def test_processes_that_fail_are_missed_by_nobody(
    does: str, told: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They answer, end at once, or end at the second form that any of them is given."""
    does = does.format(first=str(tmp_path / "first"))
    monkeypatch.setattr(ahead, "_START", STAND_IN.format(does=does))
    heard: list[int] = []
    ahead.compile_ahead(FORMS, processes=2, tell=lambda: heard.append(1))
    assert len(heard) == told


def test_one_process_or_one_form_is_not_worth_starting_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were one started it would raise: there is no such interpreter."""
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    heard: list[int] = []
    for forms, processes in ((FORMS, 1), (FORMS[:1], 2), ([], 2)):
        ahead.compile_ahead(forms, processes=processes, tell=lambda: heard.append(1))
    assert not heard


def test_the_real_process_makes_and_answers_every_form(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a compiler, which takes no time and keeps nothing."""
    monkeypatch.setenv("ALLIANCEGAME_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    heard: list[int] = []
    ahead.compile_ahead(FORMS, processes=2, tell=lambda: heard.append(1))
    assert len(heard) == 3
    assert not list(tmp_path.iterdir())
