"""What is not true is refused: every kind of tampering, planted, and at random."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import InvalidValueError, ResultFileError
from tests.problems import alliance
from tests.verify import by_hand

Content = dict[str, Any]
RECORD = by_hand.record_keys()


def rehash(content: Content) -> None:
    """What a careful forger does after changing the game."""
    content["provenance"]["game_hash"] = ag.BurdenSharingGame.from_dict(content["game"]).hash


def claim(content: Content, name: str) -> Content:
    found: Content = next(c for c in content["claims"] if c["claim"] == name)
    return found


def bound(content: Content, regret: float) -> None:
    """A forged regret everywhere that it stands, its worth in money included."""
    made = content["certificate"]
    made["regret_usd_bn"] *= regret / made["regret"]
    made["regret"] = claim(content, "regret")["bound"] = regret


def unique(content: Content, state: str, theorem: str | None) -> None:
    content["certificate"]["unique"] = state
    claim(content, "uniqueness").update(state=state, theorem=theorem)


def move(content: Content, k: int = 1, factor: float = 1.001) -> None:
    content["burden"][k] *= factor


def move_all_numbers(content: Content) -> None:
    """The profile moved, and every number worked out anew: only the regret betrays it."""
    move(content)
    game, plan = ag.BurdenSharingGame(**content["game"]), ag.Plan(**content["plan"])
    made = by_hand.record(game, plan, content["burden"])
    content |= {name: made[name] for name in ("payoff", "influence", "security", "trust")}
    content["claims"][0] = by_hand.claims({**content, "others": []})[0]


def change_game(content: Content) -> None:
    content["game"]["decay"] = 0.31


def change_game_with_hash(content: Content) -> None:
    change_game(content)
    rehash(content)


def change_weight_with_hash(content: Content) -> None:
    theta = content["game"]["security_weight"]
    content["game"]["security_weight"] = [t * 1.0001 for t in theta]
    rehash(content)


def swap_members(content: Content) -> None:
    names = content["members"]
    names[1], names[2] = names[2], names[1]


def swap_members_everywhere(content: Content) -> None:
    swap_members(content)
    names = content["game"]["members"]
    names[1], names[2] = names[2], names[1]
    rehash(content)


def swap_numbers(content: Content) -> None:
    for name in ("burden", "payoff", "influence", "security", "trust"):
        content[name][1], content[name][2] = content[name][2], content[name][1]


TAMPERED: dict[str, Callable[[Content], Any]] = {
    "profile moved": move,
    "profile moved a little": lambda c: move(c, factor=1 + 1e-6),
    "leader moved": lambda c: move(c, 0, 1 + 1e-6),
    "profile moved, numbers anew": move_all_numbers,
    "profile out of bounds": lambda c: c["burden"].__setitem__(1, 0.9),
    "profile negative": lambda c: c["burden"].__setitem__(1, -0.01),
    "bound tightened alone": lambda c: c["certificate"].update(regret=1e-40),
    "bound tightened": lambda c: bound(c, 1e-40),
    "bound zero": lambda c: bound(c, 0.0),
    "bound negative": lambda c: bound(c, -1e-15),
    "bound widened": lambda c: bound(c, 1e-8),
    "bound in the claim alone": lambda c: claim(c, "regret").update(bound=1e-9),
    "money": lambda c: c["certificate"].update(regret_usd_bn=1e-30),
    "worst swapped": lambda c: c["certificate"].update(worst=c["members"][0]),
    "worst unknown": lambda c: c["certificate"].update(worst="Atlantis"),
    "tolerance loosened": lambda c: c["certificate"]["tolerances"].update(certified=1.0),
    "parameter": change_game,
    "parameter, hash anew": change_game_with_hash,
    "weights, hash anew": change_weight_with_hash,
    "hash": lambda c: c["provenance"].update(game_hash="0" * 64),
    "no hash": lambda c: c["provenance"].pop("game_hash"),
    "unknown parameter": lambda c: c["game"].update(courage=1),
    "a parameter of later work": lambda c: c["game"].update(execution_saving=0.1),
    "parameter missing": lambda c: c["game"].pop("decay"),
    "threat": lambda c: c["plan"].update(threat=0.51),
    "demand": lambda c: c["plan"].update(demand=0.021),
    "threat on nobody": lambda c: c["plan"].update(threat={"Atlantis": 0.5}),
    "burden named": lambda c: c["plan"].update(burden=c["burden"][0]),
    "concept": lambda c: c.update(concept="response"),
    "payoff": lambda c: c["payoff"].__setitem__(1, c["payoff"][1] * (1 + 1e-6)),
    "influence": lambda c: c["influence"].__setitem__(1, c["influence"][1] * (1 + 1e-6)),
    "security": lambda c: c["security"].__setitem__(1, c["security"][1] * (1 + 1e-6)),
    "trust": lambda c: c["trust"].__setitem__(1, c["trust"][1] * (1 + 1e-6)),
    "mean trust": lambda c: c["trust"].__setitem__(0, 1.0),
    "savings": lambda c: c["claims"][0].update(savings=c["claims"][0]["savings"] * (1 + 1e-6)),
    "savings nan": lambda c: c["claims"][0].update(savings="nan"),
    "verdict": lambda c: c["certificate"].update(verdict="approximate"),
    "verdict unknown": lambda c: c["certificate"].update(verdict="excellent"),
    "theorem": lambda c: claim(c, "uniqueness").update(theorem="followers"),
    "no theorem": lambda c: claim(c, "uniqueness").update(theorem=None),
    "multiple": lambda c: unique(c, "multiple", None),
    "members swapped": swap_members,
    "members swapped, hash anew": swap_members_everywhere,
    "numbers swapped": swap_numbers,
    "a member twice": lambda c: c["members"].__setitem__(1, c["members"][2]),
    "a number too many": lambda c: c["payoff"].append(0.0),
    "a number too few": lambda c: c["burden"].pop(),
    "schema": lambda c: c.update(schema=2),
    "schema true": lambda c: c.update(schema=True),
    "kind of another result": lambda c: c.update(kind="stackelberg"),
    "no kind": lambda c: c.pop("kind"),
    "a claim missing": lambda c: c["claims"].pop(),
    "a claim twice": lambda c: c["claims"].append(c["claims"][0]),
    "a claim more": lambda c: c["claims"].append({"of": "", "claim": "optimal"}),
    "a claim about nothing": lambda c: c["claims"].append(5),
    "nan": lambda c: c["payoff"].__setitem__(1, math.nan),
    "nan as text": lambda c: c["payoff"].__setitem__(1, "nan"),
    "infinity": lambda c: c["payoff"].__setitem__(1, math.inf),
    "infinity as text": lambda c: c["payoff"].__setitem__(1, "inf"),
    "a burden of nan": lambda c: c["burden"].__setitem__(1, "nan"),
    "huge": lambda c: c["payoff"].__setitem__(1, 1e308),
    "huge whole number": lambda c: c["security"].__setitem__(1, 10**400),
    "huge game": lambda c: c["game"].update(gdp=[1e308] * 4),
    "text for a number": lambda c: c["payoff"].__setitem__(1, "0.5"),
    "truth for a number": lambda c: c["burden"].__setitem__(1, True),
    "nothing for a number": lambda c: c["payoff"].__setitem__(1, None),
    "nothing for a record": lambda c: c.update(certificate=None),
    "an entry missing": lambda c: c.pop("security"),
    "an entry more": lambda c: c.update(proof="believe me"),
    "an entry more in the certificate": lambda c: c["certificate"].update(proof="believe me"),
    "others of nothing": lambda c: c.update(others=[{}]),
    "itself beside it": lambda c: c.update(others=[{k: c[k] for k in RECORD}]),
}


def test_a_file_without_claims_has_nothing_to_check(files: dict[str, Content]) -> None:
    content = copy.deepcopy(files["nash"])
    content.pop("claims")
    report = ag.verify(content)
    assert report.status == "not checkable"
    assert "certificate=True" in report.claims[0].detail


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_refused(how: str, files: dict[str, Content]) -> None:
    content = copy.deepcopy(files["nash"])
    TAMPERED[how](content)
    report = ag.verify(content)
    assert report.status == "refused", report.to_dict()
    assert all(c.detail for c in report.claims if c.status == "refused")


SETS: dict[str, tuple[str, Callable[[Content], Any]]] = {
    "other moved": ("multiple", lambda c: move(c["others"][0])),
    "other twice": ("multiple", lambda c: c["others"].__setitem__(1, c["others"][0])),
    "the first again": (
        "multiple", lambda c: c["others"].__setitem__(0, {**{k: c[k] for k in RECORD}, "others": []}),
    ),
    "other left out": ("multiple", lambda c: c["others"].pop()),
    "others left out": ("multiple", lambda c: c.update(others=[], claims=c["claims"][:3])),
    "other of another plan": ("multiple", lambda c: c["others"][0]["plan"].update(threat=0.1)),
    "proven": ("multiple", lambda c: unique(c, "proven", "simultaneous Nash")),
    "others have others": ("multiple", lambda c: c["others"][0].update(others=c["others"][1:])),
    "outcome": ("comparison", lambda c: c.update(outcome="backfire")),
    "outcome and claim": (
        "comparison",
        lambda c: (c.update(outcome="backfire"), claim(c, "outcome").update(outcome="backfire")),
    ),
    "flags": (
        "comparison",
        lambda c: [f.append("self_inflicted") for f in (c["flags"], claim(c, "outcome")["flags"])],
    ),
    "gain": ("comparison", lambda c: c.update(delta_payoff=c["delta_payoff"] * 2)),
    "money": ("comparison", lambda c: c.update(gain_usd_bn=c["gain_usd_bn"] * 1.000001)),
    "commitment": (
        "comparison",
        lambda c: (c.update(commitment=1e-6), claim(c, "decomposition").update(commitment=1e-6)),
    ),
    "leverage": (
        "comparison", lambda c: (c.update(leverage=1.0), claim(c, "decomposition").update(leverage=1.0)),
    ),
    "pressed status quo": ("comparison", lambda c: c["baseline"].update(plan=c["result"]["plan"])),
    "another game's status quo": ("comparison", lambda c: c["baseline"]["game"].update(decay=0.1)),
    "one of several": ("comparisons", lambda c: move(c["items"][1]["result"])),
    "several of nothing": ("comparisons", lambda c: c.update(items=[])),
    "another plan": ("stackelberg", lambda c: c["plan"].update(threat=0.9)),
    "stackelberg outcome": ("stackelberg", lambda c: c.update(outcome="futile")),
    "gap": ("stackelberg", lambda c: c.update(leader_gap=0.0)),
    "response moved": ("stackelberg", lambda c: move(c["response"])),
    "listed twice": ("set", lambda c: c["equilibria"].append(c["equilibria"][0])),
    "of another plan": ("set", lambda c: c["plan"].update(threat=0.1)),
    "moved in the set": ("set", lambda c: move(c["equilibria"][0])),
    "completeness": ("set", lambda c: c.update(completeness="not known")),
    "complete": ("set", lambda c: c.update(complete=False)),
}  # fmt: skip


@pytest.mark.parametrize("how", SETS)
def test_tampering_with_larger_results_is_refused(how: str, files: dict[str, Content]) -> None:
    kind, change = SETS[how]
    content = copy.deepcopy(files[kind])
    change(content)
    found = ag.verify(content)
    expected = "not checkable" if how == "others left out" else "refused"
    assert found.status == expected, found.to_dict()


def other_game(content: Content) -> None:
    """The second comparison is of another game: true by itself, but of another A."""
    game = ag.load_model("three-allies").replace(umbrella=0.6)
    made = json.loads(ag.compare(game, ag.Plan(threat=0.2)).to_json(certificate=True))
    kept = [c for c in content["claims"] if not c["of"].startswith("items[1].")]
    content["claims"] = kept + [{**c, "of": f"items[1].{c['of']}"} for c in made["claims"]]
    entries = ("schema", "kind", "version", "claims")
    content["items"][1] = {k: v for k, v in made.items() if k not in entries}


def another_leader_burden(content: Content) -> None:
    """Both ends of a continuum are equilibria, but one of them of another plan."""
    end = content["components"][0]["ends"][0]
    end["plan"]["burden"] = end["burden"][0] = 0.021


def swap_first_and_other(content: Content) -> None:
    """A is the best for the leader: one that is better cannot stand among the others."""
    base, others = content["baseline"], content["baseline"]["others"]
    content["baseline"] = {**others[0], "others": [{**base, "others": []}, *others[1:]]}


def in_both(content: Content, name: str, of: str, value: Any) -> None:
    """A number forged in the result and in its claim."""
    content[name] = value
    claim(content, of)[name] = value


MISSED: dict[str, tuple[str, Callable[[Content], Any]]] = {
    "hash of the comparison": ("comparison", lambda c: c["provenance"].update(game_hash="0" * 64)),
    "hash of the set": ("set", lambda c: c["provenance"].update(game_hash="0" * 64)),
    "false for a number in a claim": (
        "comparison", lambda c: claim(c, "decomposition").update(commitment=False),
    ),
    "false for a number in a plan": ("stackelberg", lambda c: c["plan"].update(tariff=False)),
    "one for the schema": ("nash", lambda c: c.update(schema=1.0)),
    "nothing for the others": ("nash", lambda c: c.update(others={})),
    "a number for a word": ("nash", lambda c: c["certificate"].update(reason=5)),
    "a word for a tolerance": ("nash", lambda c: c["certificate"]["tolerances"].update(grid="fine")),
    "words for a number": (
        "comparison", lambda c: in_both(c, "versus_best_burden", "decomposition", "believe me"),
    ),
    "a flag twice": (
        "flagged", lambda c: [f.append(f[0]) for f in (c["flags"], claim(c, "outcome")["flags"])],
    ),
    "comparisons with two games": ("comparisons", other_game),
    "no comparisons": ("comparisons", lambda c: c.update(items=[], claims=[])),
    "A is not the best": ("several", swap_first_and_other),
    "nothing is committed": ("stackelberg", lambda c: c.update(commit=[])),
    "committed twice": ("stackelberg", lambda c: c["commit"].append(c["commit"][0])),
    "something else is committed": ("stackelberg", lambda c: c.update(commit=["honour"])),
    "a negative gap": ("stackelberg", lambda c: in_both(c, "leader_gap", "leader gap", -1e-9)),
    "worst above best": (
        "stackelberg",
        lambda c: in_both(c, "pessimistic_value", "selection", c["optimistic_value"] + 1),
    ),
    "another word for completeness": (
        "set",
        lambda c: (in_both(c, "completeness", "completeness", "sure"), c.update(complete=False)),
    ),
    "an empty set of another game": ("cycle", lambda c: c["game"].update(decay=0.9)),
    "an empty set of another plan": ("cycle", lambda c: c["plan"].update(threat=-1)),
    "gain in the cycle": (
        "cycle", lambda c: c["cycle"][0].update(gain=c["cycle"][0]["gain"] * (1 + 1e-6)),
    ),
    "reply in the cycle": (
        "cycle", lambda c: c["cycle"][0].update(reply=c["cycle"][0]["reply"] * 1.01),
    ),
    "a burden of nan in the cycle": ("cycle", lambda c: c["cycle"][0]["burdens"].__setitem__(0, "nan")),
    "true for a member of the cycle": ("cycle", lambda c: c["cycle"][0].update(member=True)),
    "no list of equilibria": ("cycle", lambda c: c.update(equilibria={})),
    "nobody in the cycle": ("cycle", lambda c: c["cycle"][0].update(member="Atlantis")),
    "end of another plan": ("continuum", another_leader_burden),
    "end of another game": ("continuum", lambda c: c["components"][0]["ends"][0]["game"].update(decay=0.1)),
    "end twice": (
        "continuum",
        lambda c: c["components"][0]["ends"].__setitem__(1, c["components"][0]["ends"][0]),
    ),
    "who moves": ("continuum", lambda c: c["components"][0].update(members=[])),
    "nobody moves": ("continuum", lambda c: c["components"][0]["members"].append("Atlantis")),
}  # fmt: skip


@pytest.fixture(scope="module")
def more_files(files: dict[str, Content], small: ag.BurdenSharingGame) -> dict[str, Content]:
    """Further kinds: no equilibrium (with a cycle), a continuum, a comparison with a flag, several A."""
    shared = alliance((1, 1, 1), (0, 0.04, 0.04), consumption="linear")
    found = {
        "cycle": ag.find_equilibria(small.replace(technology="best-shot")),
        "continuum": ag.find_equilibria(shared, ag.Plan(burden=0.02)),
        "flagged": ag.compare(small.replace(decay=2.0), ag.Plan(threat=1.0)),
        "several": ag.compare(
            ag.BurdenSharingGame(**files["multiple"]["game"]), ag.Plan(threat=0.1)
        ),
    }
    made = {k: json.loads(one.to_json(certificate=True)) for k, one in found.items()}
    assert made["cycle"]["cycle"]
    assert made["continuum"]["components"]
    assert made["flagged"]["flags"]
    assert all(ag.verify(content).status == "not checkable" for content in made.values())
    return {**files, **made}


@pytest.mark.parametrize("how", MISSED)
def test_what_an_earlier_checker_let_pass_is_refused(
    how: str, more_files: dict[str, Content]
) -> None:
    kind, change = MISSED[how]
    content = copy.deepcopy(more_files[kind])
    change(content)
    report = ag.verify(content)
    assert report.status == "refused", report.to_dict()


def test_an_entry_of_zero_is_still_an_entry_that_is_not_read(files: dict[str, Content]) -> None:
    assert ag.verify({**copy.deepcopy(files["set"]), "proof": 0}).status == "not checkable"


def test_evidence_for_a_theorem_is_refused(files: dict[str, Content]) -> None:
    """A claim may carry evidence for a proof that takes some; the theorems take none."""
    content = copy.deepcopy(files["nash"])
    claim(content, "uniqueness")["evidence"] = [[0, 1]]
    assert ag.verify(content).status == "refused"
    several = copy.deepcopy(files["multiple"])
    claim(several, "uniqueness")["evidence"] = []
    assert ag.verify(several).status == "refused"
    listed = copy.deepcopy(files["set"])
    listed |= {"completeness": "not known", "complete": False}
    claim(listed, "completeness")["completeness"] = "not known"
    assert ag.verify(listed).accepted
    claim(listed, "completeness")["theorem"] = "simultaneous Nash"
    assert ag.verify(listed).status == "refused"


def test_a_list_of_equilibria_may_cite_a_theorem_itself(files: dict[str, Content]) -> None:
    content = copy.deepcopy(files["set"])
    for theorem, status in (
        ("simultaneous Nash", "accepted"), ("followers", "refused"), ("hope", "refused"),
        ("enumeration", "refused"),
    ):  # fmt: skip
        claim(content, "completeness")["theorem"] = theorem
        assert ag.verify(content).status == status, theorem


def test_no_number_of_a_file_can_be_moved_one_at_a_time(files: dict[str, Content]) -> None:
    """Every number, by a millionth, up and down; tolerances may be tightened, never loosened."""
    content = files["nash"]
    for path in leaves(content):
        for by in (1e-6, -1e-6):
            if (
                "provenance" in path
                or path[-1] == "tariff"
                or path[-1] in ("grid", "roots", "refine")
            ):
                continue  # Nothing is exposed to a tariff in this game; how it was searched is told.
            if "tolerances" in path and (by < 0 or path[-1] == "leader_gap"):
                continue
            moved = copy.deepcopy(content)
            old = at(content, path)
            put(moved, path, old * (1 + by) if old else by)
            assert ag.verify(moved).status == "refused", (path, by)


@pytest.mark.parametrize("kind", ["comparison", "stackelberg", "set"])
def test_entries_that_are_not_read_are_not_checkable(kind: str, files: dict[str, Content]) -> None:
    content = {**copy.deepcopy(files[kind]), "proof": "believe me"}
    report = ag.verify(content)
    assert report.status == "not checkable"
    assert any("proof" in c.detail for c in report.claims)
    del content["outcome" if kind != "set" else "complete"]
    assert ag.verify(content).status == "refused"


def test_flags_of_later_versions_are_not_checkable(files: dict[str, Content]) -> None:
    content = copy.deepcopy(files["comparison"])
    content["flags"].append("collapse")
    claim(content, "outcome")["flags"].append("collapse")
    report = ag.verify(content)
    assert next(c for c in report.claims if c.claim == "outcome").status == "not checkable"


def test_sets_of_equilibria(trigger_pair: Content) -> None:
    """K7 as a list: each equilibrium is checked; that there are no more is not."""
    pair = copy.deepcopy(trigger_pair)
    first = {**{k: pair[k] for k in RECORD}, "others": []}
    second = pair["others"][0]
    shared = {k: first[k] for k in ("game", "plan", "provenance")}
    complete = {"of": "", "claim": "completeness", "completeness": "proven"}
    content = {
        "schema": 1, "kind": "alliance-equilibria", "version": "0", **shared,
        "equilibria": [first, second], "completeness": "proven", "complete": True, "statement": "",
        "components": [], "cycle": [],
        "claims": [
            *by_hand.claims(first, "equilibria[0]"), *by_hand.claims(second, "equilibria[1]"), complete,
        ],
    }  # fmt: skip
    report = ag.verify(content)
    assert [c.claim for c in report.claims if c.status != "accepted"] == ["completeness"]
    assert report.status == "not checkable"
    listed = by_hand.claims(first, "equilibria[0]")
    content |= {"equilibria": [first], "claims": [*listed, complete]}
    first["certificate"]["unique"] = listed[2]["state"] = "proven"
    for theorem, status in (("enumeration", "not checkable"), ("followers", "refused")):
        listed[2]["theorem"] = theorem
        assert ag.verify(content).status == status


def test_upgraded_claims_are_refused() -> None:
    """Claims that the game does not bear, with everything else in order."""
    game = alliance((4, 2, 1), 0.05, influence_weight=0.01, private_weight=0.003)
    burdens = by_hand.Alliance(game, ag.Plan()).equilibrium([0.02] * 3)
    true = by_hand.record(
        game, ag.Plan(), burdens, regret=1e-12, verdict="certified", unique="proven"
    )
    assert ag.verify(by_hand.file(true)).accepted
    rough = [b * (1 + 1e-5) for b in burdens]  # approximate -> certified
    for regret, verdict in ((1e-6, "certified"), (1e-13, "certified"), (1e-5, "approximate")):
        made = by_hand.record(game, ag.Plan(), rough, regret=regret, verdict=verdict)
        assert ag.verify(by_hand.file(made)).status == "refused"
    assert ag.verify(by_hand.file(by_hand.record(game, ag.Plan(), rough, regret=1e-7))).accepted
    for change, plan in (  # not proven -> proven
        ({"substitution": 0.8}, ag.Plan()),
        ({"decisiveness": 2}, ag.Plan()),
        ({"spillin": 1.01}, ag.Plan()),
        ({"council_weight": [1, 1, 2]}, ag.Plan()),
        ({"influence_value": "share"}, ag.Plan()),
        ({"influence": "hub"}, ag.Plan()),
        ({"technology": "best-shot"}, ag.Plan()),
        ({"return_spillin": 1.01}, ag.Plan()),
        ({"shortfall": "trigger"}, ag.Plan(threat=0.1)),
        ({"shortfall": "logistic"}, ag.Plan(threat=0.1)),
        ({"trade_exposure": 0.1}, ag.Plan(tariff=0.1)),
    ):
        other = game.replace(**change)
        made = by_hand.record(other, plan, burdens, unique="proven")
        report = ag.verify(by_hand.file(made))
        unique = next(c for c in report.claims if c.claim == "uniqueness")
        assert unique.status == "refused", (change, unique)


def test_three_equilibria_that_the_theorem_would_deny() -> None:
    """With tariff revenue and log consumption the condition of the theorem does not suffice."""
    game = alliance(
        (1, 1), (0.01182, 0.006), umbrella=5.0, return_spillin=0.2, trade_exposure=0.018
    )
    plan = ag.Plan(tariff=1.0, demand=0.02)
    found = (
        (0.007728647387875417, 0.02), (0.008664089963478085, 0.01550651114801245),
        (0.011892194263801862, 0.0),
    )  # fmt: skip
    kept = {"regret": 1e-9, "verdict": "certified", "unique": "multiple"}
    first, *others = (by_hand.record(game, plan, x, **kept) for x in found)
    assert ag.verify(by_hand.file({**first, "others": others})).accepted


def test_a_tariff_changed(files: dict[str, Content]) -> None:
    game = alliance((2, 1), 0.05, trade_exposure=0.1, deadweight=0.5)
    plan = ag.Plan(tariff=0.2, demand=0.08)  # Nobody meets it.
    burdens = by_hand.Alliance(game, plan).equilibrium([0.02] * 2)
    true = by_hand.file(by_hand.record(game, plan, burdens, regret=1e-12, verdict="certified"))
    assert ag.verify(true).accepted
    true["plan"]["tariff"] = 0.2000001
    assert ag.verify(true).status == "refused"


def test_no_profile_that_is_refused_is_the_only_one(files: dict[str, Content]) -> None:
    content = copy.deepcopy(files["nash"])
    move_all_numbers(content)
    found = {c.claim: c.status for c in ag.verify(content).claims}
    assert found == {"numbers": "accepted", "regret": "refused", "uniqueness": "refused"}


def test_continua() -> None:
    game = alliance((1, 1, 1), (0, 0.04, 0.04), consumption="linear")
    plan = ag.Plan(burden=0.02)
    for unique, status in (("multiple", "accepted"), ("proven", "refused")):
        made = by_hand.record(
            game, plan, (0.02, 0.005, 0.015), regret=1e-12, verdict="certified", unique=unique
        )
        assert ag.verify(by_hand.file(made)).status == status
    corner = by_hand.record(
        game,
        plan.replace(burden=0.08),
        (0.08, 0, 0),
        regret=1e-12,
        verdict="certified",
        unique="proven",
    )
    assert ag.verify(by_hand.file(corner)).accepted
    shared = alliance((1, 1), 0.04, consumption="linear")
    made = by_hand.record(
        shared, ag.Plan(), (0.02, 0.02), regret=1e-12, verdict="certified", unique="proven"
    )
    assert ag.verify(by_hand.file(made)).status == "refused"


def test_a_continuum_is_more_than_its_ends(more_files: dict[str, Content]) -> None:
    """Allies who share one sum are checked over all of it; two equilibria alone are no continuum."""
    shared = {
        c.of: c.status for c in ag.verify(more_files["continuum"]).claims if c.claim == "continuum"
    }
    assert shared == {"components[0]": "accepted"}
    game = ag.BurdenSharingGame(
        ["L", *"ABCD"], "L", [2, 1, 1, 1, 1], 0.04, influence_weight=0.002, private_weight=0.001,
        spillin=0.0,
    )  # fmt: skip
    forged = json.loads(ag.find_equilibria(game).to_json(certificate=True))
    assert ag.verify(forged).accepted
    ends = copy.deepcopy(forged["equilibria"])
    for end in ends:
        end["certificate"]["unique"] = "not proven"
    part = {"members": list(game.members), "ends": ends, "statement": "", "listed": True}
    forged["components"] = [part]
    for claim in [c for c in forged["claims"] if c["of"]]:
        moved = claim | {"of": claim["of"].replace("equilibria", "components[0].ends")}
        forged["claims"].append(moved | ({"state": "not proven"} if "state" in claim else {}))
    refused = [c for c in ag.verify(forged).claims if c.status == "refused"]
    assert [(c.of, c.claim) for c in refused] == [("components[0]", "continuum")]
    assert "in the middle of the ends L gains" in refused[0].detail


# --- At random -----------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all numbers of a file."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from leaves(item, (*path, key))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path


SILENT = {"tolerances", "calibrated", "replaced", "provenance"}
"""Numbers behind these entries claim nothing."""


def put(content: Content, path: tuple[Any, ...], value: Any) -> None:
    inside: Any = content
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value


def at(content: Content, path: tuple[Any, ...]) -> Any:
    inside: Any = content
    for key in path:
        inside = inside[key]
    return inside


@settings(max_examples=80)
@given(st.integers(0, 10**9), st.sampled_from([1e-6, -1e-6, 1e-3, -0.5, 1.0, 1e30]))
def test_no_number_can_be_moved(files: dict[str, Content], pick: int, by: float) -> None:
    kind = ("nash", "response", "comparison", "stackelberg")[pick % 4]
    content = copy.deepcopy(files[kind])
    paths = [p for p in leaves(content) if not SILENT & set(p)]
    path = paths[pick % len(paths)]
    old = at(content, path)
    quiet = path[-1] == "demand" and at(content, (*path[:-1], "threat")) == 0
    if quiet or path[-1] == "tariff":  # Nothing is exposed to a tariff in this game.
        return
    new = old * (1 + by) if old else by
    put(content, path, new)
    found = ag.verify(content).status
    assert found == "refused", (kind, path, old, new)


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.sampled_from([None, [], {}, "x", True, -1, 1e308, "nan", [1, 2]]))
def test_whatever_is_put_anywhere_there_is_no_traceback(
    files: dict[str, Content], pick: int, value: Any
) -> None:
    kinds = sorted(files)
    content = copy.deepcopy(files[kinds[pick % len(kinds)]])
    path: tuple[Any, ...] = ()
    draw = random.Random(pick)
    inside: Any = content
    while isinstance(inside, (dict, list)) and inside and (not path or draw.random() < 0.8):
        key = draw.choice(sorted(inside) if isinstance(inside, dict) else range(len(inside)))
        path, inside = (*path, key), inside[key]
    put(content, path, value)
    assert ag.verify(content).status in ("accepted", "refused", "not checkable")


@settings(max_examples=50)
@given(st.binary(max_size=60), st.integers(0, 3000))
def test_bytes_that_are_no_result(
    files: dict[str, Content], tmp_path_factory: Any, junk: bytes, at: int
) -> None:
    path = tmp_path_factory.mktemp("junk") / "result.json"
    text = json.dumps(files["nash"]).encode()
    path.write_bytes(text[:at] + junk + text[at + len(junk) + 1 :])
    assert ag.verify(path).status in ("accepted", "refused", "not checkable")


@pytest.mark.parametrize(
    "text", ["", "[]", "5", "null", '"x"', "{}", '{"kind": "equilibrium"}', "[" * 10**5, "{} more", "NaN",
             '{"kind": "equilibrium", "kind": "equilibrium"}'],
)  # fmt: skip
def test_texts_that_are_no_result(text: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(text, encoding="utf-8")
    report = ag.verify(path)
    assert report.status == "refused"
    assert report.claims[0].detail


def test_text_after_the_end_is_refused(files: dict[str, Content], tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(files["nash"]) + "\nand more", encoding="utf-8")
    assert ag.verify(path).status == "refused"


@pytest.mark.parametrize("bad", [5, None, [1], 0.5, True, ag.Plan()])
def test_bad_calls(bad: Any) -> None:
    with pytest.raises(InvalidValueError, match="certificate=True"):
        ag.verify(bad)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for bad in (tmp_path / "missing.json", tmp_path, "a\0b"):
        with pytest.raises(ResultFileError, match="cannot be read"):
            ag.verify(bad)
