"""Members: labels, their order, the leader among them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.game.members import Members

ALLIANCE = Members(("USA", "FRA", "DEU"), "FRA")


def test_behaves_as_a_sequence_of_labels() -> None:
    assert list(ALLIANCE) == ["USA", "FRA", "DEU"]
    assert len(ALLIANCE) == 3
    assert ALLIANCE[0] == "USA"
    assert "DEU" in ALLIANCE
    assert ALLIANCE.index("DEU") == 2


def test_leader_and_allies_keep_the_order() -> None:
    assert ALLIANCE.leader_index == 1
    assert ALLIANCE.allies == ("USA", "DEU")


def test_equal_content_is_equal_and_hashes_alike() -> None:
    same = Members(("USA", "FRA", "DEU"), "FRA")
    assert same == ALLIANCE
    assert hash(same) == hash(ALLIANCE)
    assert same != Members(("USA", "FRA", "DEU"), "USA")
    assert same != Members(("FRA", "USA", "DEU"), "FRA")
    assert same != ("USA", "FRA", "DEU")


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ALLIANCE.leader = "USA"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("player", "position"),
    [("USA", 0), ("DEU", 2), (0, 0), (2, 2), (-1, 2), (-3, 0), (np.int64(1), 1)],
)
def test_players_go_by_label_or_index(player: str | int, position: int) -> None:
    assert ALLIANCE.index_of(player) == position


@pytest.mark.parametrize("player", [3, -4, 1.0, None, ("USA",)])
def test_other_players_are_refused(player: object) -> None:
    with pytest.raises(InvalidValueError, match=r"label or an index in \[0, 2\], got"):
        ALLIANCE.index_of(player)  # type: ignore[arg-type]


def test_unknown_player_suggests_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"'GER'.*Known: DEU, FRA, USA"):
        ALLIANCE.index_of("GER")
    with pytest.raises(UnknownNameError, match="Did you mean 'USA'"):
        ALLIANCE.index_of("usa")


@pytest.mark.parametrize("labels", [(), ("USA",)])
def test_fewer_than_two_members_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValueError, match=f"at least two members, got {len(labels)}"):
        Members(labels, "USA")


@pytest.mark.parametrize("bad", ["", "  ", 7, None])
def test_labels_are_text(bad: object) -> None:
    with pytest.raises(InvalidValueError, match="non-empty text"):
        Members(("USA", bad), "USA")  # type: ignore[arg-type]


def test_duplicates_are_named() -> None:
    with pytest.raises(InvalidValueError, match="duplicate member 'FRA'"):
        Members(("USA", "FRA", "FRA"), "USA")


def test_unknown_leader_suggests_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown leader 'UAS'.*Did you mean 'USA'"):
        Members(("USA", "FRA"), "UAS")


@pytest.mark.parametrize("leader", [None, 0, ["USA"]])
def test_leader_is_a_label(leader: object) -> None:
    with pytest.raises(InvalidValueError, match="leader must be a member's label"):
        Members(("USA", "FRA"), leader)  # type: ignore[arg-type]
