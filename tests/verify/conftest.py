"""Saved results that the tests of the checker share: written once, changed in copies."""

from __future__ import annotations

import json
from typing import Any

import pytest

import alliancegame as ag
from alliancegame.solve.result import set_claims
from tests.problems import alliance
from tests.verify import by_hand

THREAT = ag.Plan(threat=0.5)


class Files(dict[str, dict[str, Any]]):
    """Files by name, which do not print themselves."""

    def __repr__(self) -> str:
        return "files"


def saved(result: Any) -> dict[str, Any]:
    """The file of a result, read back."""
    content: dict[str, Any] = json.loads(result.to_json(certificate=True))
    return content


@pytest.fixture(scope="session")
def small() -> ag.BurdenSharingGame:
    return ag.load_model("three-allies")


@pytest.fixture(scope="session")
def files(small: ag.BurdenSharingGame) -> Files:
    """One file of each kind that the checker has rules for, all of them true."""
    multiple = ag.BurdenSharingGame(
        ["L", "A", "B", "C", "D"], leader="L", gdp=[2, 1, 1, 1, 1], security_weight=0.04,
        influence_weight=0.002, private_weight=0.001, spillin=0.0, umbrella=1.0, return_spillin=1.0,
    )  # fmt: skip
    nash = ag.solve_nash(small, THREAT)
    content = saved(nash)
    rest = {k: v for k, v in content.items() if k not in ("schema", "kind", "version", "claims")}
    listed = json.loads(json.dumps(set_claims([nash], [], "proven")))
    return Files({
        "nash": content,
        "response": saved(ag.respond(small, THREAT.replace(burden=0.03))),
        "multiple": saved(ag.solve_nash(multiple)),
        "comparison": saved(ag.compare(small, THREAT)),
        "comparisons": saved(ag.compare(small, [THREAT, ag.Plan(threat=0.2)])),
        "stackelberg": saved(ag.solve_stackelberg(small)),
        "set": {
            "schema": 1, "kind": "alliance-equilibria", "version": "0", "claims": listed,
            "game": rest["game"], "plan": rest["plan"], "equilibria": [rest],
            "completeness": "proven", "complete": True, "components": [], "cycle": [], "statement": "",
            "provenance": rest["provenance"],
        },
    })  # fmt: skip


@pytest.fixture(scope="session")
def trigger_pair() -> dict[str, Any]:
    """K7: two identical allies, of whom exactly one complies."""
    game = alliance(
        (1, 1, 1), (0, 0.04, 0.04), consumption="linear", shortfall="trigger", spillin=0.5
    )
    plan = ag.Plan(threat=0.6, demand=0.04, burden=0.02)
    kept = {"regret": 1e-12, "verdict": "certified", "unique": "multiple"}
    mirror = by_hand.record(game, plan, (0.02, 0.012, 0.04), **kept)
    return by_hand.file(by_hand.record(game, plan, (0.02, 0.04, 0.012), others=[mirror], **kept))
