"""Records of a file as numbers, game, plan and burdens; anything unexpected is a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliancegame.game.checks import shown
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan


class RefusedError(ValueError):
    """The file contradicts itself, or is not of the form that results have."""


def record(value: Any, keys: set[str], what: str) -> Mapping[str, Any]:
    """A dict with these keys and no other."""
    if not isinstance(value, dict):
        raise RefusedError(f"{what} is no record")
    if set(value) != keys:
        raise RefusedError(f"{what} has missing or unknown entries: {sorted(set(value) ^ keys)}")
    return value


def number(value: Any) -> float:
    """A number as results write it: infinities and nan are text."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain and value not in ("nan", "inf", "-inf"):
        raise RefusedError(f"{shown(value)} is no number")
    return float(value)


def game_of(content: Mapping[str, Any]) -> BurdenSharingGame:
    """The game, whose hash the file must state."""
    game = BurdenSharingGame.from_dict(content["game"])
    if content["provenance"]["game_hash"] != game.hash or game.to_dict() != content["game"]:
        raise RefusedError("the game is not the one whose hash (SHA-256) is stated")
    if content["members"] != list(game.members):
        raise RefusedError("the members are not those of the game, in its order")
    return game


def plan_of(content: Mapping[str, Any]) -> Plan:
    """The plan, written as `Plan.to_dict` writes it."""
    plan = Plan(**content["plan"])
    if plan.to_dict() != content["plan"]:
        raise RefusedError("the plan is not written as plans are")
    return plan


def burdens_of(game: BurdenSharingGame, plan: Plan, content: Mapping[str, Any]) -> list[float]:
    """Burdens within their bounds, the leader's as the plan says."""
    burdens = [number(b) for b in content["burden"]]
    bounds = zip(game.by_member("burden_min"), burdens, game.by_member("burden_max"), strict=True)
    if not all(low <= b <= high for low, b, high in bounds):
        raise RefusedError("a burden is outside its bounds")
    if plan.burden is not None and burdens[game.members.leader_index] != plan.burden:
        raise RefusedError("the leader's burden is not the one that the plan names")
    return burdens


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which no entry stands twice."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise RefusedError("an entry stands twice")
    return dict(pairs)


def no_constant(text: str) -> float:
    """Refuse NaN and Infinity, which are no JSON."""
    raise RefusedError(f"{text} is no number")
