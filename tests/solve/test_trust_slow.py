"""Policies against a slow value iteration in plain NumPy, on games of several forms and laws.

It shares no dynamic code with the library: the stage is a grid of own burdens, checked by `solve_nash`
one plan at a time; the law is written out again; values are interpolated linearly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import map_coordinates

import alliancegame as ag
from alliancegame.solve import aggregative

NO_LAW: dict[str, Any] = {
    "decay": 0.0, "contagion": 0.0, "tariff_decay": 0.0, "recovery": 0.0, "institutional_share": 1.0,
    "turnover": 0.0,
}  # fmt: skip


def some_game(seed: int, say: float = 0.01, **form: Any) -> ag.BurdenSharingGame:
    rng = np.random.default_rng(seed)
    ally = rng.uniform(1000, 6000, 3) if not form.get("contagion") else np.full(3, 3000.0)
    return ag.BurdenSharingGame(
        ["L", "A", "B", "C"], "L", gdp=np.r_[20000.0, ally],
        security_weight=np.r_[0.05, rng.uniform(0.02, 0.04, 3)], private_weight=0.003, umbrella=0.7,
        influence_weight=[say, 0.005, 0.005, 0.005], return_spillin=0.5, congestion=1.0, **form,
    )  # fmt: skip


def stage_of(
    game: ag.BurdenSharingGame, low: float, tariff: float = 0.0
) -> RegularGridInterpolator:
    """The leader's payoff over threat and trust, its own burden by two rounds of a grid."""
    plain = game.replace(**NO_LAW)
    axes = np.linspace(0, 1, 33), np.linspace(low, 1, 25)
    threat, trust = (m.ravel() for m in np.meshgrid(*axes, indexing="ij"))
    base = ag.solve_nash(plain).burdens[0]
    middle, width = np.full(len(threat), 1.1 * base), 0.8 * base
    for _ in range(3):
        own = middle[:, None] + width * np.linspace(-1, 1, 41)
        found = aggregative.solve_plans(
            plain, np.repeat(threat, 41), np.full(own.size, 0.05), own.ravel(),
            changes={"trust": np.repeat(trust, 41)}, tariffs=np.array([0.0, *[tariff] * 3]),
        ).leader_payoff.reshape(own.shape)  # fmt: skip
        middle, top = own[np.arange(len(own)), found.argmax(axis=1)], found.max(axis=1)
        width /= 15
    for j in (3, len(threat) // 2):
        plan = ag.Plan(threat=threat[j], burden=middle[j], tariff=tariff)
        one = ag.solve_nash(plain.replace(trust=trust[j]), plan).leader_payoff
        assert one == pytest.approx(top[j], abs=1e-10)
    return RegularGridInterpolator(axes, top.reshape(33, 25), method="cubic")


@pytest.mark.parametrize(
    ("form", "discount"),
    [
        ({"consumption": "linear", "decay": 0.25, "contagion": 0.15, "recovery": 0.3}, 0.5),
        ({"substitution": 0.6, "decay": 0.3, "recovery": 0.25, "curvature": 1.3}, 0.6),
        ({"influence_value": "share", "decay": 0.4, "recovery": 0.2}, 0.7),
        (
            {"decay": 0.15, "recovery": 0.3, "trade_exposure": 0.05, "tariff_decay": 0.4,
             "deadweight": 0.5, "tariff": 0.3},
            0.5,
        ),
        (
            {"influence": "hub", "influence_value": "share", "consumption": "linear",
             "substitution": 0.8, "rival_pull": 20.0, "say": 0.05, "decay": 0.4, "recovery": 0.3},
            0.7,
        ),
    ],
    ids=["linear, contagion", "CES, curvature", "share influence", "tariff", "hub"],
)  # fmt: skip
def test_one_state(form: dict[str, Any], discount: float) -> None:
    tariff = form.get("tariff", 0.0)
    game = some_game(7, **{name: value for name, value in form.items() if name != "tariff"})
    path = ag.solve_trust_path(game, "markov", periods=2, discount=discount, tariff=tariff)
    low = float(path.policy.states.min())
    strain = game.decay + game.contagion * 2 / 3  # Three allies alike.
    levied = np.exp(-game.tariff_decay * tariff)
    bottom = low * np.exp(-strain) * levied
    payoff = stage_of(game, bottom, tariff)
    levels, tried = np.linspace(low, 1, 601), np.linspace(0, 1, 301)
    r, a = np.meshgrid(levels, tried, indexing="ij")
    cost = a**game.curvature
    hit = r * np.exp(-strain * cost) * levied
    stage = payoff(np.column_stack([a.ravel(), np.clip(hit, bottom, 1).ravel()])).reshape(r.shape)
    onward = hit + game.recovery * (1 - hit)
    values = np.zeros(len(levels))
    for _ in range(400):
        values = (stage + discount * np.interp(onward, levels, values)).max(axis=1)
    assert path.value == pytest.approx(values[-1], abs=2e-6)
    assert path.certificate.verdict == "approximate"
    assert path.gain > 1e-5


def test_two_components_with_turnover() -> None:
    law = {"decay": 0.25, "recovery": 0.1, "institutional_share": 0.6, "personal_recovery": 0.4}
    game = some_game(3, turnover=0.3, **law)
    path = ag.solve_trust_path(game, "markov", periods=2, discount=0.6, nodes=17)
    low = float(path.policy.states.min())
    payoff, n = stage_of(game, low), 61
    levels, tried = np.linspace(low, 1, n), np.linspace(0, 1, 101)
    state, person, a = np.meshgrid(levels, levels, tried, indexing="ij")
    hit = np.exp(-0.25 * a)
    trust = np.clip(state**0.6 * person**0.4 * hit, low, 1)
    stage = payoff(np.column_stack([a.ravel(), trust.ravel()])).reshape(a.shape)

    def position(before: Any, speed: float) -> Any:
        after = before * hit + speed * (1 - before * hit)
        return (np.clip(after, low, 1) - low) / (1 - low) * (n - 1)

    x, y = position(state, 0.1), position(person, 0.4)
    values = np.zeros((n, n))
    for _ in range(45):
        stays = map_coordinates(values, [x, y], order=1)
        changes = map_coordinates(values, [x, np.full_like(x, n - 1)], order=1)
        values = (stage + 0.6 * (0.7 * stays + 0.3 * changes)).max(axis=2)
    assert path.value == pytest.approx(values[-1, -1], abs=3e-6)
    assert path.certificate.bellman_residual <= 1e-6
    assert path.gain > 1e-5
