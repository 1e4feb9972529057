"""At which threat does an alliance come apart? The smallest at which somebody would rather leave."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError, UnsupportedFormError, unknown_member
from alliancegame.game.checks import check_game, check_whole, shown
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.alignment import follow_cascade, solve_alignment
from alliancegame.solve.leaving.enumerate import joining_gains, leaving_gains, one_inside, slack
from alliancegame.solve.leaving.roster import Roster
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.solve.tolerances import DEFAULT

if TYPE_CHECKING:
    import pandas as pd

POINTS = 101
HALVINGS = 50


@dataclasses.dataclass(frozen=True)
class Switch:
    """A threat at which one ally changes its mind: `moves` is "out" or "in", upwards of `threat`."""

    threat: float
    ally: str
    moves: str


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Unravelling(Result):
    """What each ally would lose by leaving (or joining) one alliance, against a uniform threat.

    `alliance` are the allies inside. `margins` has shape (threat, ally), allies in member order: the
    payoff inside minus that outside for those inside, outside minus inside for the others; an alliance
    is an equilibrium where none is negative. `threshold` is the smallest threat at which one is (0 if
    one is without any threat, nan if none is up to 1), `first` whose. `switches` are all changes of
    sign between neighbouring `threats`, closed in on; two of one ally between neighbours are missed.
    `after` are the allies left when, just above the threshold, whoever gains most leaves first.
    """

    kind: ClassVar[str] = "unravelling"

    game: BurdenSharingGame
    plan: Plan
    alliance: tuple[str, ...]
    threats: Array
    margins: Array
    threshold: float
    first: str
    switches: tuple[Switch, ...]
    after: tuple[str, ...]
    note: str

    @property
    def resolution(self) -> float:
        """The distance of neighbouring threats of the scan."""
        return float(np.max(np.diff(self.threats)))

    @property
    def least(self) -> Array:
        """The smallest margin at each threat, shape (threat,)."""
        least: Array = self.margins.min(axis=1)
        return least

    def headline(self) -> str:
        """One line that says what was found."""
        who = f"{1 + len(self.alliance)} of {self.game.size} members"
        demand = self.plan.replace(threat=1.0).describe().removeprefix("threat 1, ")
        if math.isnan(self.threshold):
            said = "nobody wants to leave or to join at any threat"
        elif self.threshold == 0:
            said = f"no equilibrium even without a threat: {self.first} would move"
        else:
            said = (
                f"comes apart at threat {self.threshold:.4g}, {self.first} first; "
                f"{1 + len(self.after)} members are left"
            )
        return f"{who}, {demand}: {said} (scan of {len(self.threats)} threats)" + (
            f"; {self.note}" if self.note else ""
        )

    def to_frame(self) -> pd.DataFrame:
        """Every ally's margin by threat, a row each."""
        import pandas as pd

        allies = list(self.game.allies)
        return pd.DataFrame(
            self.margins, index=pd.Index(self.threats, name="threat"), columns=allies
        )

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "alliance": list(self.alliance),
            "threats": self.threats.tolist(),
            "margins": self.margins.tolist(),
            "threshold": self.threshold,
            "first": self.first,
            "switches": [dataclasses.asdict(s) for s in self.switches],
            "after": list(self.after),
            "note": self.note,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        return cls(
            game,
            Plan(**content["plan"]),
            tuple(content["alliance"]),
            numbers(content["threats"]),
            np.array([numbers(row) for row in content["margins"]]),
            float(content["threshold"]),
            content["first"],
            tuple(Switch(float(s["threat"]), s["ally"], s["moves"]) for s in content["switches"]),
            tuple(content["after"]),
            content["note"],
        )


def unravelling(
    game: BurdenSharingGame,
    plan: Plan | None = None,
    *,
    alliance: str | Iterable[str] = "full",
    points: int = POINTS,
) -> Unravelling:
    """The smallest uniform threat at which an alliance is no equilibrium, all else as in the plan.

    The plan gives demand and own burden; its threat is replaced by each of `points` threats from 0 to
    1. `alliance` is "full" (everybody), "largest" (the largest equilibrium alliance without a
    threat) or the allies inside. Raises as `solve_alignment`.
    """
    plan = Plan() if plan is None else plan
    check_game(game, "unravelling")
    if game.shortfall == "trigger":
        raise UnsupportedFormError(
            'unravelling is not written for shortfall="trigger": gains from leaving jump with the threat, '
            "and an alliance may have several answers to one. Ask solve_alignment threat by threat, or use "
            '"proportional" or "logistic".'
        )
    aggregative.check_plan(game, plan)
    check_whole(points, "points", 2)
    aggregative.check_plan(game, plan.replace(threat=1.0))
    stay = _inside(game, plan, alliance)
    threats = np.linspace(0.0, 1.0, points)
    margins = np.array([_margins(game, plan, stay, float(t)) for t in threats])
    switches = _switches(game, plan, stay, threats, margins)
    threshold, first = _threshold(game, threats, margins, switches)
    after: tuple[str, ...] = ()
    if math.isfinite(threshold):
        above = min(1.0, threshold + 1e-6)
        roster = Roster(game, plan.replace(threat=above))
        rounds, _ = follow_cascade(roster, DEFAULT, stay)
        if rounds:
            last = rounds[-1]
            after = tuple(m for m in last.stayers if not (last.leaves and m == last.ally))
    doubt = one_inside(Roster(game, plan))
    note = f"an alliance may have several answers, one is followed: {doubt}" if doubt else ""
    names = tuple(m for m, inside in zip(game.allies, stay, strict=True) if inside)
    return Unravelling(
        game, plan.replace(threat=0.0), names, threats, margins, threshold, first, switches, after,
        note,
    )  # fmt: skip


def _inside(game: BurdenSharingGame, plan: Plan, alliance: Any) -> NDArray[np.bool_]:
    """Who is inside, shape (ally,)."""
    if isinstance(alliance, str):
        if alliance == "full":
            return np.ones(len(game.allies), dtype=bool)
        if alliance != "largest":
            raise InvalidValueError(
                f'alliance must be "full", "largest" or a list of allies, got {shown(alliance)}.'
            )
        found = solve_alignment(game, plan.replace(threat=0.0))
        if not found.alliances:
            raise InvalidValueError(
                'alliance="largest": without a threat no alliance is an equilibrium; name the allies.'
            )
        names: list[str] = list(found[0].stayers)
    elif not isinstance(alliance, Iterable) or isinstance(alliance, Mapping):
        raise InvalidValueError(
            f'alliance must be "full", "largest" or a list of allies, got {shown(alliance)}.'
        )
    else:
        names = list(alliance)
    for name in map(str, names):
        if name == game.leader:
            raise InvalidValueError(f"alliance lists allies only, and {name} leads: leave it out.")
        if name not in game.allies:
            known = game.provenance.get("names", {})
            raise unknown_member(name, game.allies, known, " in alliance")
    return np.array([m in names for m in game.allies])


def _margins(game: BurdenSharingGame, plan: Plan, stay: NDArray[np.bool_], threat: float) -> Array:
    """Each ally's loss by changing sides, shape (ally,); minus infinity where there is no answer."""
    roster = Roster(game, plan.replace(threat=threat))
    solved = roster.solve(stay[None, :])
    if not solved.found[0]:
        return np.full(len(stay), -np.inf)
    gains = np.where(stay, leaving_gains(roster, solved)[0], joining_gains(roster, solved)[0])
    return np.asarray(-gains)


def _switches(
    game: BurdenSharingGame, plan: Plan, stay: NDArray[np.bool_], threats: Array, margins: Array
) -> tuple[Switch, ...]:
    """Every change of sign of an ally's margin, closed in on by halving."""
    allowed = slack(Roster(game, plan), DEFAULT)
    content = margins >= -allowed
    found = []
    for k, who in zip(*np.nonzero(content[1:] != content[:-1]), strict=True):
        low, high = float(threats[k]), float(threats[k + 1])
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if not low < middle < high:
                break
            calm = _margins(game, plan, stay, middle)[who] >= -allowed
            low, high = (middle, high) if calm == content[k, who] else (low, middle)
        inside_after = bool(content[k + 1, who]) == bool(stay[who])
        found.append(Switch(high, game.allies[who], "in" if inside_after else "out"))
    return tuple(sorted(found, key=lambda s: (s.threat, s.ally)))


def _threshold(
    game: BurdenSharingGame, threats: Array, margins: Array, switches: tuple[Switch, ...]
) -> tuple[float, str]:
    """The smallest threat at which somebody would move, and who."""
    start = int(np.argmin(margins[0]))
    if margins[0, start] < -slack(Roster(game, Plan()), DEFAULT):
        return float(threats[0]), game.allies[start]
    return (switches[0].threat, switches[0].ally) if switches else (math.nan, "")
