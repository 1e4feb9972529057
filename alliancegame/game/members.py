"""The members of an alliance, who leads it, and the numbers that belong to each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.parameters import Parameter

MEMBER_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "gdp", "Y_i", "member", None, "gross domestic product", "bn US$", low=0, open_low=True,
        latex="Y_i",
    ),
    Parameter(
        "security_weight", "theta_i", "member", None,
        "perceived threat: value of security", low=0, latex=r"\theta_i",
    ),
    Parameter(
        "influence_weight", "alpha_i", "member", 0.0, "value of influence", low=0,
        latex=r"\alpha_i",
    ),
    Parameter(
        "private_weight", "h_i", "member", 0.0, "country-specific (joint-product) benefit", low=0,
        latex="h_i",
    ),
    Parameter(
        "effectiveness", "e_i", "member", 1.0, "effective forces per dollar",
        "effective US$ / US$", low=0, open_low=True, latex="e_i",
    ),
    Parameter(
        "burden_min", "x_min", "member", 0.0, "least defence spending", "share of GDP", low=0,
        high=1e6, latex=r"\underline{x}_i",
    ),
    Parameter(
        "burden_max", "x_max", "member", 0.25, "greatest defence spending", "share of GDP", low=0,
        open_low=True, high=1e6, latex=r"\overline{x}_i",
    ),
    Parameter(
        "spillin", "beta_i", "ally", 1.0, "what other allies' forces are worth to an ally", low=0,
        latex=r"\beta_i",
    ),
    Parameter(
        "umbrella", "b_i", "ally", 1.0, "what the leader's forces are worth to an ally", low=0,
        latex="b_i",
    ),
    Parameter(
        "council_weight", "t_i", "member", 1.0, "weight of a contribution in council", low=0,
        open_low=True, latex="t_i",
    ),
    Parameter(
        "credibility", "c_i", "ally", 1.0, "how far an ally believes the threat", low=0, high=1,
        latex="c_i",
    ),
    Parameter(
        "trade_exposure", "chi_i", "ally", 0.0, "exports to the leader, which a tariff falls on",
        "share of GDP", low=0, latex=r"\chi_i",
    ),
    Parameter(
        "rival_pull", "s_i", "ally", 0.0, "what others than the alliance pull in a hub", low=0,
        latex="s_i",
    ),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Members(Sequence[str]):
    """Labels in their order, and the leader among them.

    Raises `InvalidValueError` for fewer than two members, empty or duplicate labels, and
    `UnknownNameError` if the leader is not one of them.
    """

    labels: tuple[str, ...]
    leader: str

    def __post_init__(self) -> None:
        if not isinstance(self.leader, str):
            raise InvalidValueError(f"leader must be a member's label, got {self.leader!r}.")
        for label in self.labels:
            if not str(label).strip() or str(label) != label:
                raise InvalidValueError(f"a member's label must be non-empty text, got {label!r}.")
        if len(self.labels) < 2:
            raise InvalidValueError(
                f"an alliance needs at least two members, got {len(self.labels)}: {self.labels!r}."
            )
        seen: set[str] = set()
        for label in self.labels:
            if label in seen:
                raise InvalidValueError(f"duplicate member {label!r}: labels must be unique.")
            seen.add(label)
        if self.leader not in seen:
            raise unknown_name("leader", self.leader, self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __getitem__(self, index: Any) -> Any:
        return self.labels[index]

    @cached_property
    def leader_index(self) -> int:
        """Position of the leader."""
        return self.labels.index(self.leader)

    @cached_property
    def _hash(self) -> int:
        return hash((self.labels, self.leader))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Members)
            and self.leader == other.leader
            and self.labels == other.labels
        )

    @property
    def allies(self) -> tuple[str, ...]:
        """Everybody but the leader, in order."""
        return tuple(label for label in self.labels if label != self.leader)

    def index_of(self, player: str | int) -> int:
        """Position of a player given by label or index."""
        if isinstance(player, str):
            if player not in self.labels:
                raise unknown_name("member", player, self.labels)
            return self.labels.index(player)
        try:
            position = range(len(self.labels))[player]
        except (IndexError, TypeError) as error:
            raise InvalidValueError(
                f"a player is a label or an index in [0, {len(self.labels) - 1}], got {player!r}."
            ) from error
        return position
