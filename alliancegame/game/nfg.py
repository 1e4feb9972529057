"""Gambit's strategic-form files (.nfg): the payoff form and the outcome form are read.

The format: http://gambitproject.org ("Game representation formats"). Profiles run with the first
player's strategy changing fastest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alliancegame.errors import GameFileError, InvalidValueError
from alliancegame.game.checks import shown
from alliancegame.game.finite import FiniteGame

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]|[^\s{},"]+')


def write(game: FiniteGame, path: Any = None) -> str:
    """The game in payoff form: exact numbers as fractions, others with all their digits."""
    numbers = []
    for cell in np.ndindex(game.shape[::-1]):
        for i in range(game.size):
            value = game.entry(i, cell[::-1])
            numbers.append(repr(value) if isinstance(value, float) else str(value))
    players = " ".join(_quoted(p) for p in game.players)
    strategies = "\n".join(
        "{ " + " ".join(_quoted(s) for s in own) + " }" for own in game.strategies
    )
    text = (
        f"NFG 1 R {_quoted(game.title)}\n{{ {players} }}\n\n{{ {strategies}\n}}\n\n"
        + " ".join(numbers)
        + "\n"
    )
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8")
        except (OSError, TypeError) as error:
            raise GameFileError(
                f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})."
            ) from error
    return text


def read(source: Any) -> FiniteGame:
    """The game of a text, or of a file. Text is recognised by its first word, NFG."""
    text = source if isinstance(source, str) and source.lstrip().startswith("NFG") else None
    where = "the text"
    if text is None:
        where = shown(source)
        try:
            where = os.fspath(source)
            text = Path(where).read_text(encoding="utf-8")
        except (OSError, TypeError, ValueError) as error:
            raise GameFileError(
                f"{where}: cannot be read ({getattr(error, 'strerror', None) or error}). Give the "
                "path of a .nfg file, or text that begins with NFG."
            ) from error
    return _Reader(text, where).game()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class _Reader:
    """A cursor over the tokens of one file."""

    def __init__(self, text: str, where: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.where = where
        self.at = 0

    def game(self) -> FiniteGame:
        head = [self.next() for _ in range(3)]
        if head[0] != "NFG" or head[1] != "1" or head[2] not in ("R", "D"):
            raise self.wrong(f"it must begin with 'NFG 1 R', got {' '.join(head)!r}")
        title = self.label()
        players = self.labels()
        strategies = self.strategies(len(players))
        if self.peek().startswith('"'):
            self.next()  # A comment.
        shape = tuple(len(s) for s in strategies)
        values = self.outcomes(shape) if self.peek() == "{" else self.payoffs(shape)
        arrays = [np.empty(shape, dtype=object) for _ in players]
        for cell, row in zip(np.ndindex(shape[::-1]), values, strict=True):
            for array, value in zip(arrays, row, strict=True):
                array[cell[::-1]] = value
        try:
            return FiniteGame(arrays, players, strategies, title=title)
        except InvalidValueError as error:
            raise self.wrong(str(error).rstrip(".")) from error

    def strategies(self, count: int) -> list[list[str]]:
        """Lists of labels, or numbers of strategies, by player."""
        self.expect("{")
        made: list[list[str]] = []
        while self.peek() != "}":
            if self.peek() == "{":
                made.append(self.labels())
                continue
            number = self.next()
            if not number.isdigit() or not 1 <= int(number) <= 10**6:
                raise self.wrong(f"a number of strategies is expected, got {number!r}")
            made.append([str(k + 1) for k in range(int(number))])
        self.expect("}")
        if len(made) != count:
            raise self.wrong(f"it has {count} players and strategies for {len(made)}")
        return made

    def payoffs(self, shape: Sequence[int]) -> list[list[str]]:
        """Payoffs of each profile in turn."""
        cells, n = int(np.prod(shape)), len(shape)
        left = len(self.tokens) - self.at
        if left != cells * n:
            raise self.wrong(
                f"{cells} profiles of {n} players need {cells * n} payoffs, got {left}"
            )
        return [[self.next() for _ in range(n)] for _ in range(cells)]

    def outcomes(self, shape: Sequence[int]) -> list[list[str]]:
        """A list of outcomes, then the number of each profile's; 0 is the null outcome."""
        cells, n = int(np.prod(shape)), len(shape)
        listed = [["0"] * n]
        self.expect("{")
        while self.peek() != "}":
            self.expect("{")
            self.label()
            row = []
            while self.peek() != "}":
                row.append(self.next())
            self.expect("}")
            if len(row) != n:
                raise self.wrong(f"outcome {len(listed)} has {len(row)} payoffs for {n} players")
            listed.append(row)
        self.expect("}")
        left = len(self.tokens) - self.at
        if left != cells:
            raise self.wrong(f"{cells} profiles need {cells} outcomes, got {left}")
        made = []
        for _ in range(cells):
            number = self.next()
            if not number.isdigit() or int(number) >= len(listed):
                raise self.wrong(
                    f"outcomes are numbered from 0 to {len(listed) - 1}, got {number!r}"
                )
            made.append(listed[int(number)])
        return made

    def labels(self) -> list[str]:
        self.expect("{")
        made = []
        while self.peek() != "}":
            made.append(self.label())
        self.expect("}")
        return made

    def label(self) -> str:
        token = self.next()
        if not token.startswith('"'):
            raise self.wrong(f"text in double quotes is expected, got {token!r}")
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def expect(self, token: str) -> None:
        got = self.next()
        if got != token:
            raise self.wrong(f"{token!r} is expected, got {got!r}")

    def peek(self) -> str:
        if self.at >= len(self.tokens):
            raise self.wrong("it ends too early")
        return str(self.tokens[self.at])

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def wrong(self, what: str) -> GameFileError:
        return GameFileError(f"{self.where} is no strategic game of Gambit (.nfg): {what}.")
