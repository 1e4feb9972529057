"""Proofs by boxes: true ones are accepted, and every change that matters is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import ctx

import alliancegame as ag
from alliancegame.solve.every import proof
from alliancegame.verify.intervals import PRECISION
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.uniqueness import cells as checker
from alliancegame.verify.uniqueness import response
from tests.problems import alliance
from tests.solve.test_every_proof import Scan, random_game, three_roots

Cell = dict[str, Any]
Content = dict[str, Any]


def saved(result: Any) -> Content:
    content: Content = json.loads(result.to_json(certificate=True))
    return content


@pytest.fixture(scope="module")
def three() -> Content:
    return saved(ag.find_equilibria(three_roots()))


@pytest.fixture(scope="module")
def one() -> Content:
    return saved(
        ag.find_equilibria(three_roots(return_spillin=0.6), ag.Plan(threat=0.3, demand=0.02))
    )


def of(content: Content, name: str) -> Any:
    """The claim of a file, and what is found of it."""
    return next(c for c in ag.verify(content).claims if c.claim == name)


def cells_of(content: Content) -> list[Cell]:
    found: list[Cell] = next(c for c in content["claims"] if c["claim"] == "completeness")[
        "evidence"
    ]
    return found


def test_true_lists_are_accepted(three: Content, one: Content) -> None:
    for content, count in ((three, 3), (one, 1)):
        report = ag.verify(content)
        assert report.accepted
        assert f"there are {count}" in of(content, "completeness").detail
    assert "boxes prove" in of(one, "uniqueness").detail


@pytest.mark.parametrize("forms", [{}, {"consumption": "linear"}, {"influence_value": "share"},
                                   {"tariffs": True}])  # fmt: skip
def test_the_checker_finds_the_places_of_the_solver(forms: Any) -> None:
    rng = np.random.default_rng(5)
    for _ in range(3):
        game, plan = random_game(rng, **forms)
        made = proof.prove(game, plan)
        with ctx.workprec(PRECISION):
            stage = Stage(game, plan, [float(b) for b in game.by_member("burden_max")])
            assert checker.places(stage, made.content()) == list(made.places)


def nth(cells: list[Cell], verdict: str, k: int = 0) -> Cell:
    return [cell for cell in cells if cell["verdict"] == verdict][k]


def drop(cells: list[Cell]) -> None:
    del cells[len(cells) // 2]


def drop_the_last(cells: list[Cell]) -> None:
    del cells[-1]


def shrink(cells: list[Cell]) -> None:
    cells[5]["leader"][1] *= 0.999


def shrink_and_join(cells: list[Cell]) -> None:
    """A cell that takes over its neighbour's range with its own total and witnesses."""
    cells[6]["leader"][0] = cells[5]["leader"][0]
    del cells[5]


def narrower_total(cells: list[Cell]) -> None:
    low, high = cells[8]["total"]
    cells[8]["total"] = [low + 0.4 * (high - low), high]


def lower_total(cells: list[Cell]) -> None:
    low, high = cells[8]["total"]
    cells[8]["total"] = [low, high - 0.4 * (high - low)]


def witness(cells: list[Cell]) -> None:
    cells[3]["least"][1] *= 1.02


def other_witness(cells: list[Cell]) -> None:
    cells[3]["most"][2] *= 0.98


def witness_beyond_its_bound(cells: list[Cell]) -> None:
    cells[3]["least"] = [0.26] * 4


def call_it_one_sign(cells: list[Cell]) -> None:
    nth(cells, "falling")["verdict"] = "more"


def turn_a_sign(cells: list[Cell]) -> None:
    nth(cells, "less")["verdict"] = "more"


def turn_a_slope(cells: list[Cell]) -> None:
    nth(cells, "rising", 2)["verdict"] = "falling"


def hide_two_roots(cells: list[Cell]) -> None:
    """The claim that would leave one root: everything between two of them rises."""
    for cell in cells:
        if cell["leader"][0] > 0.01 and cell["verdict"] != "less":
            cell["verdict"] = "less"


def narrow_the_slope(cells: list[Cell]) -> None:
    for k in (0, 3):
        nth(cells, "rising", k)["slope"] = [-0.01, 0.01]


def shift_burdens(cells: list[Cell]) -> None:
    cell = nth(cells, "rising")
    cell["within"] = [[b * 1.05 for b in row] for row in cell["within"]]


def swap_burdens(cells: list[Cell]) -> None:
    nth(cells, "rising")["within"].reverse()


def without_slope(cells: list[Cell]) -> None:
    nth(cells, "rising")["slope"] = None


def short_row(cells: list[Cell]) -> None:
    cells[4]["least"].pop()


def no_number(cells: list[Cell]) -> None:
    cells[4]["total"][0] = "nan"


def endless(cells: list[Cell]) -> None:
    cells[4]["total"][1] = "inf"


def unknown_word(cells: list[Cell]) -> None:
    cells[4]["verdict"] = "proved"


def no_cells(cells: list[Cell]) -> None:
    cells.clear()


TAMPERED = [
    drop, drop_the_last, shrink, shrink_and_join, narrower_total, lower_total, witness, other_witness,
    witness_beyond_its_bound, call_it_one_sign, turn_a_sign, turn_a_slope, hide_two_roots,
    narrow_the_slope, shift_burdens, swap_burdens, without_slope, short_row, no_number, endless,
    unknown_word, no_cells,
]  # fmt: skip


@pytest.mark.parametrize("change", TAMPERED, ids=lambda change: change.__name__)
def test_tampered_boxes_are_refused(three: Content, change: Callable[[list[Cell]], None]) -> None:
    with ctx.workprec(PRECISION):
        content = copy.deepcopy(three)
        change(cells_of(content))
        refused = [c for c in ag.verify(content).claims if c.status == "refused"]
    assert refused


@pytest.mark.parametrize("k", range(3))
def test_a_list_that_lacks_an_equilibrium_is_refused(three: Content, k: int) -> None:
    content = copy.deepcopy(three)
    del content["equilibria"][k]
    gone, last = f"equilibria[{k}]", 3
    claims = [c for c in content["claims"] if c["of"] != gone]
    for j in range(k + 1, last):
        for c in claims:
            c["of"] = f"equilibria[{j - 1}]" if c["of"] == f"equilibria[{j}]" else c["of"]
    content["claims"] = claims
    found = of(content, "completeness")
    assert found.status == "refused"
    assert "boxes prove 3 equilibria" in found.detail


def test_one_of_three_is_not_called_the_only_one(three: Content) -> None:
    content = copy.deepcopy(three)
    content["equilibria"] = content["equilibria"][:1]
    content["equilibria"][0]["certificate"]["unique"] = "proven"
    content["claims"] = [c for c in content["claims"] if c["of"] in ("", "equilibria[0]")]
    claim = next(c for c in content["claims"] if c["claim"] == "uniqueness")
    claim.update(state="proven", theorem="intervals", evidence=cells_of(content))
    assert of(content, "uniqueness").status == "refused"
    assert of(content, "completeness").status == "refused"


def test_boxes_of_another_game_or_plan_are_refused(three: Content, one: Content) -> None:
    """The same numbers under a weight that has moved a little, its hash and numbers made anew."""
    for other in (three_roots(security_weight=0.0402), three_roots(umbrella=0.99)):
        content = saved(ag.find_equilibria(other))
        assert of(content, "completeness").status == "accepted"
        cells_of(content)[:] = copy.deepcopy(cells_of(three))
        assert of(content, "completeness").status == "refused"
    content = saved(
        ag.find_equilibria(three_roots(return_spillin=0.6), ag.Plan(threat=0.4, demand=0.02))
    )
    cells_of(content)[:] = copy.deepcopy(cells_of(one))
    assert of(content, "completeness").status == "refused"


def test_where_the_theorem_on_followers_fails_boxes_prove_nothing(three: Content) -> None:
    for other in (
        three_roots(spillin=1.2),
        three_roots(substitution=0.9),
        three_roots(decisiveness=0.9),
    ):
        content = saved(ag.find_equilibria(other))
        content |= {"completeness": "proven", "complete": True}
        claim = next(c for c in content["claims"] if c["claim"] == "completeness")
        claim.update(completeness="proven", theorem="intervals", evidence=cells_of(three))
        assert of(content, "completeness").status == "refused"


def test_without_its_boxes_a_proof_is_not_checkable(one: Content) -> None:
    content = copy.deepcopy(one)
    for claim in content["claims"]:
        claim.pop("evidence", None)
    found = ag.verify(content)
    assert found.status == "not checkable"
    assert "boxes of the proof are not in the file" in of(content, "completeness").detail


@pytest.mark.parametrize("seed", range(3))
def test_what_is_accepted_of_random_cells_is_true(seed: int) -> None:
    """Numbers and verdicts of true cells changed at random: an accepted cell agrees with a scan by hand."""
    rng = np.random.default_rng(seed)
    game, plan = three_roots(), ag.Plan(threat=0.2, demand=0.02) if seed else ag.Plan()
    scan = Scan(game, plan)
    cells = proof.prove(game, plan).content()
    accepted = 0
    with ctx.workprec(PRECISION):
        answer = response.Response(Stage(game, plan, [0.25] * 5))
        for _ in range(60):
            cell = copy.deepcopy(cells[rng.integers(len(cells))])
            other = cells[rng.integers(len(cells))]
            low, high = cell["leader"]
            cell["leader"] = [low, low + (high - low) * float(rng.choice([0.5, 1.0, 1.0, 1.05]))]
            cell["total"] = [t * float(rng.choice([1] * 8 + [0.98, 1.02])) for t in cell["total"]]
            name = str(rng.choice(["least", "most"]))
            cell[name] = [b * float(rng.choice([1] * 12 + [0.99, 1.01])) for b in cell[name]]
            if rng.integers(3) == 0:
                cell["verdict"] = other["verdict"]
            if cell["slope"] is not None and rng.integers(2):
                cell["slope"] = [v * float(rng.choice([1, 0.9, 1.1])) for v in cell["slope"]]
            if cell["verdict"] in checker.WAYS and cell["slope"] is None:
                continue
            if checker.doubt(answer, cell):
                continue
            accepted += 1
            at = np.maximum(np.linspace(*cell["leader"], 5), 1e-9)
            total = (scan.answer(at) * scan.scale[scan.who]).sum(axis=1)
            assert (cell["total"][0] - 1e-9 <= total).all()
            assert (total <= cell["total"][1] + 1e-9).all()
            wish = scan.leader(at)
            claims = {"more": wish > 0, "less": wish < 0}
            claims |= {"falling": np.diff(wish) < 0, "rising": np.diff(wish) > 0}
            assert claims[cell["verdict"]].all()
    assert 5 < accepted < 55


def test_three_equilibria_under_a_tariff_are_counted() -> None:
    """The theorem's condition holds there, and is not enough: revenue moves the leader's cost."""
    game = alliance(
        (1, 1), (0.01182, 0.006), umbrella=5.0, return_spillin=0.2, trade_exposure=0.018
    )
    found = ag.find_equilibria(game, ag.Plan(tariff=1.0, demand=0.02))
    np.testing.assert_allclose(
        sorted(e.burdens[0] for e in found), [0.0077286, 0.0086641, 0.0118922], atol=1e-7
    )
    content = saved(found)
    assert "there are 3" in of(content, "completeness").detail
    assert ag.verify(content).accepted
