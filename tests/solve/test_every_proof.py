"""How many simultaneous equilibria there are, proved by intervals, against a slow scan written here."""

from __future__ import annotations

import json

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve import multiple, nash
from alliancegame.solve.every import brackets, find, proof, slopes
from alliancegame.solve.every.marginals import Alliance
from alliancegame.solve.result import result_from_dict
from tests.oracle import Hand


def three_roots(**changes):
    """The worked example of docs/theory/equilibrium: three equilibria."""
    return ag.BurdenSharingGame(
        ["L", "A", "B", "C", "D"], "L", [2, 1, 1, 1, 1],
        **{
            "security_weight": 0.04, "influence_weight": 0.002, "private_weight": 0.001, "spillin": 0.0,
        } | changes,
    )  # fmt: skip


class Scan:
    """The leader's marginal payoff along the allies' answer, by nested bisection, for many burdens.

    Payoffs are written out once more: log or linear consumption, log or share influence, threats, tariffs.
    """

    def __init__(self, game, plan):
        self.hand = hand = Hand(game, plan)
        self.linear, self.share = game.consumption == "linear", game.influence_value == "share"
        self.who = hand.allies
        self.taken = {
            name: np.array(getattr(hand, name))[self.who]
            for name in ("security_weight", "influence_weight", "private_weight", "spillin",
                         "umbrella", "burden_min", "burden_max", "threat", "demand")
        }  # fmt: skip
        self.scale = np.array([hand.effectiveness[i] * hand.gdp[i] for i in range(hand.n)])
        self.bite = self.taken["threat"] * np.array(hand.credibility)[self.who]
        self.levy = np.array([hand.trade_exposure[i] * hand.tariff[i] for i in self.who])
        self.trust = np.array(hand.r)[self.who]

    def wish(self, x, total, lead):
        """An ally's marginal payoff, (burden of the leader, ally), from the left of its demand."""
        t, scale = self.taken, self.scale[self.who]
        below = x <= t["demand"]
        short = np.where(below, 1 - x / t["demand"], 0.0)
        bent = np.where(below, 1 / t["demand"], 0.0)
        cover = t["umbrella"] * self.trust * lead
        security = scale * x + t["spillin"] * (total - scale * x) + cover * (1 - self.bite * short)
        cost = 1 - self.levy * bent
        left = 1 - x - self.levy * short
        council = total + self.hand.mean_trust * lead
        pull = scale * (council - scale * x) / council**2 if self.share else 1 / x - scale / council
        return (
            t["security_weight"] * (scale + cover * self.bite * bent) / security
            + t["influence_weight"] * pull + t["private_weight"] / x
            - (cost if self.linear else cost / left)
        )  # fmt: skip

    def answer(self, burdens):
        """The allies' burdens, (burden of the leader, ally): shares fall in the total."""
        t, scale = self.taken, self.scale[self.who]
        lead = (self.scale[self.hand.lead] * burdens)[:, None]
        low_total = np.zeros(len(burdens))
        high_total = np.full(len(burdens), (scale * t["burden_max"]).sum())
        for _ in range(52):
            total = 0.5 * (low_total + high_total)
            low = np.broadcast_to(t["burden_min"], (len(burdens), len(self.who))).copy()
            high = np.broadcast_to(t["burden_max"], low.shape).copy()
            for _ in range(46):
                x = 0.5 * (low + high)
                more = self.wish(x, total[:, None], lead) > 0
                low, high = np.where(more, x, low), np.where(more, high, x)
            enough = (scale * x).sum(axis=1) >= total
            low_total, high_total = (
                np.where(enough, total, low_total),
                np.where(enough, high_total, total),
            )
        return x

    def leader(self, burdens):
        """The leader's marginal payoff along the answer, (burden,)."""
        hand, k = self.hand, self.hand.lead
        x = self.answer(burdens)
        total = (x * self.scale[self.who]).sum(axis=1)
        scale, trust = self.scale[k], hand.mean_trust
        seat = trust * scale * burdens
        short = np.where(x < self.taken["demand"], 1 - x / self.taken["demand"], 0.0)
        gdp = np.array(hand.gdp)
        income = (self.levy * short * gdp[self.who]).sum(axis=1) * (1 - hand.deadweight) / gdp[k]
        pull = (
            trust * scale * total / (seat + total) ** 2
            if self.share
            else total / (burdens * (seat + total))
        )
        return (
            hand.security_weight[k] * scale
            / (scale * burdens + hand.return_spillin * trust**hand.cohesion * total)
            + hand.influence_weight[k] * pull + hand.private_weight[k] / burdens
            - (1.0 if self.linear else 1 / (1 - burdens + income))
        )  # fmt: skip


def roots(game, plan, points=241):
    """Between which scanned burdens the leader's condition changes sign, its ends counted."""
    k = game.members.leader_index
    low, high = game.by_member("burden_min")[k], game.by_member("burden_max")[k]
    grid = low + (high - low) * np.linspace(1e-6, 1.0, points) ** 2
    signs = np.sign(Scan(game, plan).leader(grid))
    changes = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    found = [(low, grid[0])] * int(signs[0] < 0) + [(grid[i], grid[i + 1]) for i in changes]
    return found + [(high, high)] * int(signs[-1] > 0)


def test_there_are_exactly_three():
    """MODEL's example: two of the three are in the text, the third lies between them."""
    found = ag.find_equilibria(three_roots())
    assert (len(found), found.completeness, found.complete) == (3, "proven", True)
    np.testing.assert_allclose(
        sorted(e.burdens[0] for e in found), [0.00738, 0.01811, 0.02446], atol=1e-5
    )
    assert found[0].leader_payoff == max(e.leader_payoff for e in found)
    assert "3 equilibria, and no others: intervals prove it" in found.statement
    assert {e.certificate.unique for e in found} == {"multiple"}
    places = found.proof.places
    assert len(places) == 3
    for (low, high), burden in zip(places, sorted(e.burdens[0] for e in found), strict=True):
        assert low < burden < high
        ends = Scan(three_roots(), ag.Plan()).leader(np.array([low, high]))
        assert ends[0] * ends[1] < 0


def random_game(rng, consumption="log", influence_value="log", tariffs=False):
    """Games that the theorem on simultaneous Nash does not cover."""
    n = int(rng.integers(2, 5))
    game = ag.BurdenSharingGame(
        ["L", "A", "B", "C"][:n], "L", rng.uniform(0.4, 3, n), rng.uniform(0.02, 0.07, n),
        influence_weight=float(rng.choice([0.0, 0.003])),
        private_weight=float(rng.choice([0.0, 0.002])), consumption=consumption,
        influence_value=influence_value, spillin=float(rng.choice([0.0, 0.3])),
        umbrella=rng.uniform(0.4, 1.4, n), return_spillin=float(rng.uniform(0.5, 1.8)),
        burden_min=float(rng.choice([0.0, 0.003])), burden_max=float(rng.choice([0.05, 0.2])),
        decay=0.3, trade_exposure=0.06,
    )  # fmt: skip
    press = bool(rng.integers(2)) or tariffs
    plan = ag.Plan(
        threat=float(rng.uniform(0.1, 0.9)), demand=float(rng.uniform(0.01, 0.04)),
        tariff=float(rng.uniform(0.1, 0.6)) if tariffs else 0.0,
    )  # fmt: skip
    return game, plan if press else ag.Plan()


@pytest.mark.parametrize(
    ("seed", "forms"),
    [
        (0, {}), (1, {}), (2, {"consumption": "linear"}), (3, {"influence_value": "share"}),
        (4, {"tariffs": True}),
    ],
)  # fmt: skip
def test_random_games_have_the_roots_of_a_scan(seed, forms):
    rng = np.random.default_rng(seed)
    for _ in range(6):
        game, plan = random_game(rng, **forms)
        assert proof.applies(game, plan)
        made = proof.prove(game, plan)
        assert not made.undecided
        expected = roots(game, plan)
        assert len(expected) == len(made.places)
        for one, (low, high) in zip(expected, made.places, strict=True):
            assert one[0] <= high
            assert low <= one[1]


def test_many_roots_are_found_again():
    """Near the worked example, where there are one, two near each other, or three."""
    rng = np.random.default_rng(7)
    counts = set()
    for _ in range(6):
        game = three_roots(
            security_weight=0.038 * rng.uniform(0.93, 1.07), spillin=float(rng.uniform(0, 0.05))
        )
        found = ag.find_equilibria(game)
        assert found.complete
        assert len(found) == len(roots(game, ag.Plan()))
        counts.add(len(found))
    assert counts == {1, 3}


@pytest.mark.parametrize(
    "forms", [{}, {"consumption": "linear"}, {"influence_value": "share"}, {"tariffs": True}]
)
def test_cells_contain_what_allies_do(forms):
    """Totals, burdens and slopes at burdens inside each cell, by bisection and differences."""
    rng = np.random.default_rng(11)
    game, plan = random_game(rng, **forms)
    alliance = Alliance.of(game, plan)
    low, high = alliance.range
    edges = low + (high - low) * np.linspace(0, 1, 25) ** 2
    cells = brackets.brackets(alliance, edges[:-1], edges[1:])
    least, most = brackets.within(alliance, cells)
    slope = slopes.total_slope(alliance, cells, least, most)
    scan = Scan(game, plan)
    for share in (0.03, 0.5, 0.97):
        at = edges[:-1] + share * np.diff(edges)
        burdens = scan.answer(at)
        total = (burdens * scan.scale[scan.who]).sum(axis=1)
        assert (cells.total[0] - 1e-9 <= total).all()
        assert (total <= cells.total[1] + 1e-9).all()
        assert (least - 1e-9 <= burdens).all()
        assert (burdens <= most + 1e-9).all()
        step = 1e-3 * np.diff(edges)
        moved = (scan.answer(at + step) * scan.scale[scan.who]).sum(axis=1) - total
        assert (slope[0] - 1e-5 <= moved / step).all()
        assert (moved / step <= slope[1] + 1e-5).all()
    assert np.median((cells.total[1] - cells.total[0]) / cells.total[1]) < 0.2


def test_ends_of_the_leaders_range_are_equilibria():
    """A leader that would give less than it may, or more, stands at the end of its range."""
    lazy = three_roots(burden_min={"L": 0.05} | dict.fromkeys("ABCD", 0.0))
    eager = three_roots(burden_max={"L": 0.004} | dict.fromkeys("ABCD", 0.25))
    for game, end in ((lazy, 0.05), (eager, 0.004)):
        found = ag.find_equilibria(game)
        assert found.complete
        assert found.proof.places == ((end, end),)
        assert found[0].burdens[0] == end
        assert found[0].certificate.unique == "proven"
        assert found[0].certificate.reason.startswith("by intervals")


def test_a_missing_root_is_noticed_and_found(monkeypatch):
    """Planted: a search that gives one of the three roots alone."""
    game = three_roots()
    every = ag.find_equilibria(game)
    made = proof.prove(game, ag.Plan())
    burdens = np.array([e.burdens[0] for e in every])
    assert made.covers(burdens)
    assert made.lacks(burdens[:2]) == tuple(
        (low, high) for low, high in made.places if low < burdens[2] < high
    )
    assert not made.covers(burdens[:2])
    assert not made.covers(np.append(burdens, burdens[0]))
    one = nash.solve_nash(game)
    monkeypatch.setattr(
        nash, "solve_nash", lambda *a, **k: find.dataclasses.replace(one, others=())
    )
    again = ag.find_equilibria(game)
    assert again.complete
    np.testing.assert_allclose([e.burdens for e in again], [e.burdens for e in every], atol=1e-9)
    monkeypatch.setattr(multiple, "root_between", lambda *a: np.zeros((0, 5)))
    lost = ag.find_equilibria(game)
    assert (len(lost), lost.completeness) == (1, "to a resolution")
    assert "another number of roots" in lost.statement


def test_what_is_undecided_is_said(monkeypatch):
    monkeypatch.setattr(proof, "MOST_CELLS", 40)
    found = ag.find_equilibria(three_roots())
    assert (len(found), found.completeness, found.proof) == (3, "to a resolution", None)
    assert "intervals decide all burdens of L but those in [" in found.statement
    made = proof.prove(three_roots(), ag.Plan())
    assert made.undecided
    assert not made.covers(np.array([e.burdens[0] for e in found]))


def test_falling_beside_rising_says_nothing():
    """Between ranges of one sign a function may go below 0 and come back where it turns."""
    words = ("more", "falling", "rising", "more", "falling", "falling", "less")
    cells = [
        proof.Cell((0.1 * k, 0.1 * (k + 1)), (0.0, 1.0), (), (), word)
        for k, word in enumerate(words)
    ]
    assert proof.turning(cells) == [(0.1, 0.1 * 3)]
    assert proof.turning(cells[3:]) == []


def test_near_a_double_root_cells_would_have_to_be_small(monkeypatch):
    """Between the games with one root and with three lies one in which two roots meet."""
    counts = [
        len(proof.prove(three_roots(security_weight=t), ag.Plan()).places) for t in (0.036, 0.037)
    ]
    assert counts == [1, 3]
    monkeypatch.setattr(proof, "NARROW", 0.02)
    found = ag.find_equilibria(three_roots(security_weight=0.0366))
    assert found.completeness == "to a resolution"


def test_where_it_does_not_apply():
    game = three_roots()
    hub = game.replace(influence="hub", influence_weight={"L": 0.002} | dict.fromkeys("ABCD", 0.0))
    for other, plan in (
        (game, ag.Plan(burden=0.02)),
        (game.replace(substitution=0.8), ag.Plan()),
        (game.replace(spillin=1.5), ag.Plan()),
        (game.replace(decisiveness=0.7), ag.Plan()),
        (hub, ag.Plan()),
    ):
        assert not proof.applies(other, plan)
    assert proof.applies(game.replace(influence="hub", influence_weight=0.0), ag.Plan())


def test_proofs_travel():
    for game in (three_roots(), three_roots(return_spillin=0.6)):
        found = ag.find_equilibria(game)
        text = found.to_json(certificate=True)
        again = result_from_dict(json.loads(text))
        assert again.proof == found.proof
        assert again.to_json(certificate=True) == text
        assert result_from_dict(json.loads(found.to_json())).proof is None
        one = result_from_dict(json.loads(found[0].to_json(certificate=True)))
        assert one.evidence == found[0].evidence
        assert (one.evidence is not None) == (len(found) == 1)
