"""Keys: what a column of cells changes, a field of the plan or a parameter, of one member or of all."""

from __future__ import annotations

import dataclasses
import re

from alliancegame.errors import InvalidValueError, unknown_member, unknown_name
from alliancegame.game.game import PARAMETERS, BurdenSharingGame

PLAN_KEYS = ("threat", "demand", "burden", "tariff")
_MEMBER_KEY = re.compile(r"([a-z_]+)\[(.+)\]")


@dataclasses.dataclass(frozen=True)
class Key:
    """What a column of cells changes: a field of the plan or a parameter, of one member or of all."""

    name: str
    member: str | None = None

    @property
    def of_plan(self) -> bool:
        """Whether it belongs to the plan."""
        return self.name in PLAN_KEYS

    @property
    def text(self) -> bool:
        """Whether its values are names of forms."""
        return not self.of_plan and PARAMETERS[self.name].scope == "choice"

    def __str__(self) -> str:
        return self.name if self.member is None else f"{self.name}[{self.member}]"


def parse_key(game: BurdenSharingGame, text: str) -> Key:
    """Read "threat", "decay" or "decay[DEU]". Raises `UnknownNameError` or `InvalidValueError`."""
    match = _MEMBER_KEY.fullmatch(text)
    name, member = match.groups() if match else (text, None)
    known = (*PLAN_KEYS, *PARAMETERS)
    if name not in known:
        raise unknown_name("parameter or plan field", name, known)
    if member is not None:
        by_member = name in ("threat", "demand", "tariff") or (
            name not in PLAN_KEYS and PARAMETERS[name].by_member
        )
        if not by_member:
            raise InvalidValueError(f"{name} has no value by member: write {name!r}, not {text!r}.")
        if member not in game.members:
            names = game.provenance.get("names", {})
            raise unknown_member(member, game.members, names, f" in {text}")
        ally_only = name in PLAN_KEYS or PARAMETERS[name].scope == "ally"
        if member == game.leader and ally_only:
            raise InvalidValueError(f"{name} belongs to allies only, and {member} leads.")
    return Key(name, member)


def check_key(game: BurdenSharingGame, text: str) -> None:
    """Raise a clear error unless `text` names something that a cell can change."""
    parse_key(game, text)
