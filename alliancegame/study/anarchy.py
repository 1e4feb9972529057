"""The price of anarchy: what is lost because members choose for themselves, in Nash and under plans."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.game.checks import check_game, check_plan_type, listed
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import usd_bn
from alliancegame.solve.nash import solve_nash, status_quo
from alliancegame.solve.planning.social_optimum import SocialOptimum, solve_social_optimum
from alliancegame.solve.result import Equilibrium, Result
from alliancegame.solve.tolerances import DEFAULT, Tolerances

if TYPE_CHECKING:
    import pandas as pd

SPELT_OUT = 4
"""Situations whose prices the headline names: A and three plans."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Anarchy(Result):
    """Equilibria against the social optimum without pressure.

    Payoffs are logarithms (or shares of GDP), so that their ratio means nothing. What is compared:

    - `welfare_loss`: the optimum's weighted sum of payoffs minus the equilibrium's;
    - `gift`: the one rate, the same for all, by which everybody's consumption would have to rise in
      the equilibrium to make up for that: exp(loss / sum of weights) - 1 with log consumption; with
      linear consumption a share of everybody's GDP, loss / sum of weights;
    - `gift_usd_bn`: what that gift costs, bn US$ a year;
    - `price`: the price of anarchy, consumption with the gift over consumption without it (with
      linear consumption, of the weighted sums); 1 is none;
    - `usd_bn`: what members would be worth more in the optimum, each by its own consumption
      equivalent, losers included, added up in bn US$ a year.
    """

    kind: ClassVar[str] = "price of anarchy"

    optimum: SocialOptimum
    equilibria: tuple[Equilibrium, ...]

    @property
    def price(self) -> float:
        """The price of anarchy of the first equilibrium: A, the Nash equilibrium without pressure."""
        return float(self.row(self.equilibria[0])["price"])

    def row(self, equilibrium: Equilibrium) -> dict[str, Any]:
        """One equilibrium against the optimum."""
        game, best = self.optimum.game, self.optimum
        weights, gdp = best.weights, game.by_member("gdp")
        loss = best.welfare - float(weights @ equilibrium.payoffs)
        rate = loss / float(weights.sum())
        left = 1 - equilibrium.burdens
        if game.consumption == "log":
            gift = float(np.expm1(rate))
            cost, price = gift * float(gdp @ left), 1 + gift
        else:
            gift = rate
            cost = gift * float(gdp.sum())
            price = 1 + gift * float(weights.sum()) / float(weights @ left)
        gains = best.payoffs - equilibrium.payoffs
        pressed = equilibrium.plan.pressure or equilibrium.plan.burden is not None
        return {
            "situation": equilibrium.plan.describe() if pressed else "A, no pressure",
            "welfare_loss": loss,
            "gift": gift,
            "gift_usd_bn": cost,
            "price": price,
            "usd_bn": float(usd_bn(game, gains, equilibrium.burdens).sum()),
            "spending": float(equilibrium.burdens @ gdp),
            "verdict": equilibrium.certificate.verdict,
        }

    def headline(self) -> str:
        """One line that says what was found."""
        rows = [self.row(e) for e in self.equilibria]
        prices = "; ".join(
            f"{row['price']:.4f} in {row['situation']}, worth {row['gift_usd_bn']:.1f} bn US$ a year"
            for row in rows[:SPELT_OUT]
        )
        more = f"; {len(rows) - SPELT_OUT} more in to_frame()" if len(rows) > SPELT_OUT else ""
        return (
            f"price of anarchy {prices}{more}; weights {self.optimum.weighting}, optimum "
            f"{self.optimum.certificate.verdict}"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an equilibrium."""
        import pandas as pd

        return pd.DataFrame([self.row(e) for e in self.equilibria]).set_index("situation")

    def _content(self) -> dict[str, Any]:
        return {
            "optimum": self.optimum._content(),
            "equilibria": [e._content() for e in self.equilibria],
            "rows": [self.row(e) for e in self.equilibria],
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            SocialOptimum.from_content(content["optimum"]),
            tuple(Equilibrium.from_content(e) for e in content["equilibria"]),
        )


def price_of_anarchy(
    game: BurdenSharingGame,
    plans: Plan | Iterable[Plan] = (),
    weights: Any = "gdp",
    *,
    tolerances: Tolerances = DEFAULT,
) -> Anarchy:
    """What the alliance loses against its social optimum: in A, and under each plan.

    `weights` as in `solve_social_optimum`. The optimum is that without pressure and with trust
    unharmed. Raises as `solve_nash` and `solve_social_optimum`.
    """
    check_game(game, "price_of_anarchy")
    chosen = [plans] if isinstance(plans, Plan) else listed(plans, "plans", "ag.Plan(...)")
    for plan in chosen:
        check_plan_type(plan)
    best = solve_social_optimum(game, weights, tolerances=tolerances)
    found = [status_quo(game), *(solve_nash(game, p, tolerances=tolerances) for p in chosen)]
    return Anarchy(best, tuple(found))
