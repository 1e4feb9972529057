"""Contributions that accumulate: the linear-quadratic dynamic public good (docs/theory/dynamics).

Member i contributes g_i to a stock G that wears out: dG/dt = sum g - depreciation * G. It enjoys
a_i G - b_i G^2 / 2, pays c_i g_i^2 / 2, and discounts at rate r. Three solutions: the feedback
equilibrium in linear strategies (nobody commits), the open-loop one (paths are announced), and the
cooperative optimum (the sum of payoffs). Fershtman and Nitzan (1991): without commitment members
free-ride more, because a contribution today makes others contribute less tomorrow.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.checks import shown
from alliancegame.game.parameters import Array, as_number, by_member_values
from alliancegame.solve.result import Result, numbers

if TYPE_CHECKING:
    import pandas as pd

CONCEPTS = ("feedback", "open-loop", "cooperative")


@dataclasses.dataclass(frozen=True, eq=False)
class Course:
    """How one concept goes: G(t) = G* + (G_0 - G*) exp(speed t), contributions alike.

    `contributions` (member,) are those of the steady state `stock`; `reaction` (member,) is what a
    member adds for each unit by which the stock is above its steady state. `residual` is the largest
    violation of the equations that were solved, relative to their terms.
    """

    stock: float
    contributions: Array
    speed: float
    reaction: Array
    residual: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Accumulation(Result):
    """Feedback, open-loop and cooperative solutions of one dynamic public good.

    `benefit`, `saturation` and `cost` have shape (n,); `courses` maps concepts to their solution.
    """

    kind: ClassVar[str] = "accumulation"

    members: tuple[str, ...]
    benefit: Array
    saturation: Array
    cost: Array
    depreciation: float
    interest: float
    start: float
    courses: Mapping[str, Course]

    @property
    def steady_state(self) -> pd.Series[float]:
        """The long-run stock by concept."""
        import pandas as pd

        stocks = {name: course.stock for name, course in self.courses.items()}
        return pd.Series(stocks, name="steady stock")

    @cached_property
    def values(self) -> pd.DataFrame:
        """Discounted payoffs from the start, concept × member."""
        import pandas as pd

        rows = {name: self._value(course) for name, course in self.courses.items()}
        return pd.DataFrame(rows, index=list(self.members)).T

    def _value(self, course: Course) -> Array:
        """The integral of exp(-rt) times a quadratic in exp(speed t), term by term."""
        gap, r, v = self.start - course.stock, self.interest, course.speed
        a, b, c = self.benefit, self.saturation, self.cost
        g, slope, stock = course.contributions, course.reaction * gap, course.stock
        constant = a * stock - b * stock**2 / 2 - c * g**2 / 2
        linear = a * gap - b * stock * gap - c * g * slope
        square = -(b * gap**2 + c * slope**2) / 2
        return np.asarray(constant / r + linear / (r - v) + square / (r - 2 * v))

    def path(self, concept: str, times: Sequence[float]) -> pd.DataFrame:
        """The stock and every member's contribution at these times."""
        import pandas as pd

        if concept not in tuple(self.courses):
            raise unknown_name("concept", concept, self.courses)
        course = self.courses[concept]
        if isinstance(times, (str, Mapping)) or not hasattr(times, "__len__"):
            raise InvalidValueError(f"times must be a list of numbers, got {shown(times)}.")
        t = np.array([as_number(time, "a time") for time in times])
        if (t < 0).any():
            raise InvalidValueError(f"times must be >= 0, got {t.min():g}.")
        gap = (self.start - course.stock) * np.exp(course.speed * t)
        table = course.contributions + gap[:, None] * course.reaction
        frame = pd.DataFrame(table, index=pd.Index(t, name="time"), columns=list(self.members))
        frame.insert(0, "stock", course.stock + gap)
        return frame

    @property
    def interior(self) -> bool:
        """Whether contributions are never negative; if not, g >= 0 would bind and is not imposed."""
        for course in self.courses.values():
            first = course.contributions + (self.start - course.stock) * course.reaction
            if min(first.min(), course.contributions.min()) < 0:
                return False
        return True

    def headline(self) -> str:
        """One line that says what was found."""
        stocks = ", ".join(f"{name} {course.stock:.6g}" for name, course in self.courses.items())
        kept = "" if self.interior else "; some contributions are negative"
        return f"{len(self.members)} members, steady stocks: {stocks}{kept}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each concept: steady stock, speed, steady contributions."""
        import pandas as pd

        rows = {
            name: {"stock": course.stock, "speed": course.speed}
            | dict(zip(self.members, course.contributions, strict=True))
            for name, course in self.courses.items()
        }
        return pd.DataFrame(rows).T

    def _content(self) -> dict[str, Any]:
        return {
            "members": list(self.members),
            "benefit": self.benefit.tolist(),
            "saturation": self.saturation.tolist(),
            "cost": self.cost.tolist(),
            "depreciation": self.depreciation,
            "interest": self.interest,
            "start": self.start,
            "courses": {
                name: {
                    field.name: np.asarray(getattr(course, field.name)).tolist()
                    for field in dataclasses.fields(course)
                }
                for name, course in self.courses.items()
            },
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        courses = {
            name: Course(
                float(c["stock"]), numbers(c["contributions"]), float(c["speed"]),
                numbers(c["reaction"]), float(c["residual"]),
            )
            for name, c in content["courses"].items()
        }  # fmt: skip
        return cls(
            tuple(content["members"]),
            numbers(content["benefit"]),
            numbers(content["saturation"]),
            numbers(content["cost"]),
            float(content["depreciation"]),
            float(content["interest"]),
            float(content["start"]),
            courses,
        )


def solve_accumulation(
    benefit: Any = 1.0,
    saturation: Any = 1.0,
    cost: Any = 1.0,
    *,
    depreciation: float,
    interest: float,
    members: int | Sequence[str] = 2,
    start: float = 0.0,
) -> Accumulation:
    """Steady states and paths of a public good that accumulates, under three concepts.

    `benefit` a_i > 0, `saturation` b_i >= 0 and `cost` c_i > 0 are scalars, arrays in member order or
    dicts by label; `depreciation` > 0 and `interest` > 0 are rates. `members` is their number or their
    labels; `start` the stock at time 0. Contributions may be negative (`interior` says whether any is).

    Feedback strategies are linear, g_i = (k_i + m_i G)/c_i, with the stabilising solution of the coupled
    Riccati equations that is continuous in the number of members: closed form for equal members, one
    bracketed root otherwise, unique on that branch. Other (also non-linear) feedback equilibria may exist.

    Raises `InvalidValueError`. Sources: Fershtman and Nitzan (1991); docs/theory/dynamics.

    >>> found = solve_accumulation(depreciation=0.1, interest=0.05)
    >>> [round(float(x), 6) for x in found.steady_state]
    [0.966782, 0.992556, 0.996264]
    """
    labels = _labels(members)
    a = _checked("benefit", benefit, labels, 0.0, True)
    b = _checked("saturation", saturation, labels, 0.0, False)
    c = _checked("cost", cost, labels, 0.0, True)
    wear, rate = as_number(depreciation, "depreciation"), as_number(interest, "interest")
    for name, value in (("depreciation", wear), ("interest", rate)):
        if value <= 0:
            raise InvalidValueError(f"{name} must be > 0, got {value:g}.")
    courses = {
        "feedback": _feedback(a, b, c, wear, rate),
        "open-loop": _open_loop(a, b, c, wear, rate),
        "cooperative": _cooperative(a, b, c, wear, rate),
    }
    return Accumulation(labels, a, b, c, wear, rate, as_number(start, "start"), courses)


def _labels(members: Any) -> tuple[str, ...]:
    if isinstance(members, (int, np.integer)) and not isinstance(members, bool):
        if members < 1:
            raise InvalidValueError(f"members must be at least 1, got {members}.")
        return tuple(str(i + 1) for i in range(int(members)))
    listed = isinstance(members, Sequence) and not isinstance(members, str)
    labels = tuple(members) if listed else ()
    if not labels or not all(isinstance(m, str) and m for m in labels):
        labels = ()
    if not labels or len(set(labels)) < len(labels):
        raise InvalidValueError(
            f"members must be a number or distinct labels, got {shown(members)}."
        )
    return labels


def _checked(name: str, value: Any, labels: Sequence[str], low: float, open_low: bool) -> Array:
    values = np.array(
        np.broadcast_to(by_member_values(value, what=name, members=labels), (len(labels),))
    )
    for label, v in zip(labels, values, strict=True):
        if v < low or (open_low and v == low):
            raise InvalidValueError(
                f"{name} of {label} must be {'>' if open_low else '>='} {low:g}, got {v:g}."
            )
    return values


def _cooperative(a: Array, b: Array, c: Array, wear: float, rate: float) -> Course:
    """V' = k + m G with S m^2 - (2 wear + rate) m - B = 0, S = sum 1/c, B = sum b; g_i = V'/c_i."""
    s = 1 / c
    S, A, B, p = s.sum(), a.sum(), b.sum(), 2 * wear + rate
    m = (p - math.sqrt(p * p + 4 * S * B)) / (2 * S)
    k = A / (rate + wear - S * m)
    stock = S * k / (wear - S * m)
    residual = abs(S * m * m - p * m - B) / (S * m * m + p * abs(m) + B + 1e-300)
    return Course(stock, s * (k + m * stock), S * m - wear, s * m, residual)


def _open_loop(a: Array, b: Array, c: Array, wear: float, rate: float) -> Course:
    """g_i = l_i / c_i with costates dl_i/dt = (rate + wear) l_i - a_i + b_i G."""
    s, q = 1 / c, rate + wear
    pull = (s * b).sum()
    stock = (s * a).sum() / (q * wear + pull)
    speed = 0.5 * (rate - math.sqrt((rate + 2 * wear) ** 2 + 4 * pull))
    reaction = s * b / (speed - q)
    residual = abs(reaction.sum() - wear - speed) / (abs(speed) + wear)
    return Course(stock, s * (a - b * stock) / q, speed, reaction, residual)


def _feedback(a: Array, b: Array, c: Array, wear: float, rate: float) -> Course:
    """V_i' = k_i + m_i G: s_i m_i^2 + (rate + 2 wear - 2 M) m_i + b_i = 0 with M = sum s_j m_j."""
    s, p = 1 / c, rate + 2 * wear
    if np.ptp(s) == 0 and np.ptp(b) == 0:
        w = (2 * len(s) - 1) * s[0]
        m = np.full(len(s), (p - math.sqrt(p * p + 4 * w * b[0])) / (2 * w))
    else:
        m = _coupled(s, b, p)
    M = float((s * m).sum())
    system = np.diag(rate + s * m - M + wear) - np.outer(m, s)
    k = np.linalg.solve(system, a)
    stock = float((s * k).sum() / (wear - M))
    terms = np.abs(s * m * m) + np.abs(2 * M * m) + p * np.abs(m) + b
    residual = float((np.abs(s * m * m + (p - 2 * M) * m + b) / (terms + 1e-300)).max())
    return Course(stock, s * (k + m * stock), M - wear, s * m, residual)


def _coupled(s: Array, b: Array, p: float) -> Array:
    """The m_i of unequal members: given M each is a quadratic's root, and M falls in its own sum."""
    from scipy.optimize import brentq

    def slopes(M: float) -> Array:
        q = p - 2 * M
        return np.asarray(-2 * b / (q + np.sqrt(np.maximum(q * q - 4 * s * b, 0.0))))

    def excess(M: float) -> float:
        return float((s * slopes(M)).sum()) - M

    high = min(0.0, float(0.5 * p - np.sqrt(s * b).max()))
    low = -1.0
    while excess(low) < 0:
        low *= 2
    if excess(high) >= 0:
        return slopes(high)
    return slopes(float(brentq(excess, low, high, xtol=1e-15, rtol=8.9e-16)))
