"""Notebook views: units in the heads, rounded numbers, certificates, no endless tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

import alliancegame as ag
from alliancegame.game import notebook


def test_shares_are_per_cent_and_money_has_two_decimals() -> None:
    frame = pd.DataFrame({"burden": [0.0337123], "usd_bn": [1.23456], "payoff": [-0.123456]})
    shown = notebook.table(frame)
    for text in ("burden (% of GDP)", "3.37", "worth (bn US$)", "1.23", "-0.1235"):
        assert text in shown
    assert "0.0337" not in shown


def test_long_tables_are_cut_evenly() -> None:
    shown = notebook.table(pd.DataFrame({"threat": np.linspace(0, 1, 101)}))
    assert shown.count("<tr>") == notebook.SHOWN_ROWS
    assert "11 of 101 rows" in shown
    assert "<td>0.5</td>" in shown


def test_what_is_written_is_escaped() -> None:
    assert "<b>" not in notebook.paragraph("<b>") + notebook.facts([("<b>", "<b>")])


def test_everything_public_has_a_view() -> None:
    game = ag.load_model("three-allies")
    found = ag.solve_nash(game)
    for one in (game, ag.Plan(threat=0.5), found, found.certificate, ag.list_models()):
        assert one._repr_html_().startswith("<")
    assert "uniqueness" in found._repr_html_()
    best = ag.solve_stackelberg(game, "threat")
    assert "burden A (% of GDP)" in best._repr_html_()
