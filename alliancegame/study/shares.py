"""Who should pay how much? Sharing rules side by side: by GDP, by benefit, Lindahl's, NATO's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.game.checks import check_game, per_cent
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import Plan
from alliancegame.payoff.slopes import aggregates, chained, local
from alliancegame.solve import aggregative, measures
from alliancegame.solve.certificate import usd_bn
from alliancegame.solve.nash import status_quo
from alliancegame.solve.planning.social_optimum import SocialOptimum, solve_social_optimum
from alliancegame.solve.planning.stages import stage_of
from alliancegame.solve.result import Equilibrium, Result
from alliancegame.solve.tolerances import DEFAULT, Tolerances

if TYPE_CHECKING:
    import pandas as pd

RULES = {
    "A": "what members choose: the Nash equilibrium without pressure",
    "optimum": "what the planner chooses",
    "gdp": "the optimum's total in proportion to GDP",
    "benefit": "the optimum's total in proportion to what all forces are worth at the margin",
    "lindahl": "what each would pay at personal prices, at which all want the same forces",
    "nato": "everybody the pledged share of its GDP",
}
"""Each rule and what it says."""

PLEDGE = 0.02
"""NATO's pledge of 2014: 2 % of GDP."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BurdenShares(Result):
    """Burdens under each rule of `RULES`, who pays which share, and what it is worth to whom.

    `burdens` maps a rule to burdens of shape (n,), shares of GDP. A rule is read as the burdens
    themselves: each member spends what the rule asks of it, on its own forces. There are no
    transfers in the model, so that a rule's payoffs are those of its burdens, not those of a
    Lindahl equilibrium with payments between members.
    """

    kind: ClassVar[str] = "burden shares"

    optimum: SocialOptimum
    baseline: Equilibrium
    pledge: float
    burdens: Mapping[str, Array]

    @property
    def game(self) -> BurdenSharingGame:
        """The game."""
        return self.optimum.game

    def payoffs(self, rule: str) -> Array:
        """Payoffs of a rule's burdens, shape (n,); nan for all where one is out of its bounds."""
        game, burdens = self.game, self.burdens[rule]
        low, high = game.by_member("burden_min"), game.by_member("burden_max")
        if (burdens < low).any() or (burdens > high).any():
            return np.full(game.size, np.nan)
        return aggregative.best_deviations(game, burdens, Plan()).payoff

    def gains_usd_bn(self, rule: str) -> Array:
        """What a rule is worth to each member against A, as a consumption equivalent, bn US$ a year."""
        gains = self.payoffs(rule) - self.baseline.payoffs
        return usd_bn(self.game, gains, self.baseline.burdens)

    def headline(self) -> str:
        """One line that says what was found."""
        lead = self.game.members.leader_index
        table = self.to_frame()
        listed = ", ".join(
            f"{rule} {table[f'share_{rule}'].iloc[lead]:.1%}" for rule in self.burdens
        )
        return f"{self.game.leader}'s share of all spending: {listed}"

    def to_frame(self) -> pd.DataFrame:
        """Every member: burden under each rule, then its share of everybody's spending."""
        import pandas as pd

        gdp = self.game.by_member("gdp")
        columns = {f"burden_{rule}": x for rule, x in self.burdens.items()}
        columns |= {f"share_{rule}": x * gdp / float(x @ gdp) for rule, x in self.burdens.items()}
        return pd.DataFrame(columns, index=pd.Index(self.game.members.labels, name="member"))

    @property
    def totals(self) -> pd.DataFrame:
        """Each rule: total spending (bn US$), the planner's welfare less A's, who gains and loses."""
        import pandas as pd

        gdp, rows = self.game.by_member("gdp"), []
        for rule, x in self.burdens.items():
            gains = self.gains_usd_bn(rule)
            payoffs = self.payoffs(rule)
            known = np.isfinite(gains).all()
            change = float(self.optimum.weights @ (payoffs - self.baseline.payoffs))
            rows.append(
                {
                    "rule": rule,
                    "spending": float(x @ gdp),
                    "of_gdp": float(x @ gdp / gdp.sum()),
                    "welfare_change": change,
                    "usd_bn": float(gains.sum()),
                    "worse_off": float((gains < -1e-9).sum()) if known else np.nan,
                }
            )
        return pd.DataFrame(rows).set_index("rule")

    def _content(self) -> dict[str, Any]:
        return {
            "optimum": self.optimum._content(),
            "baseline": self.baseline._content(),
            "pledge": self.pledge,
            "burdens": {rule: x.tolist() for rule, x in self.burdens.items()},
            "gains_usd_bn": {rule: self.gains_usd_bn(rule).tolist() for rule in self.burdens},
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            SocialOptimum.from_content(content["optimum"]),
            Equilibrium.from_content(content["baseline"]),
            float(content["pledge"]),
            {rule: np.array(x, dtype=np.float64) for rule, x in content["burdens"].items()},
        )


def burden_shares(
    game: BurdenSharingGame,
    weights: Any = "gdp",
    *,
    pledge: float = PLEDGE,
    tolerances: Tolerances = DEFAULT,
) -> BurdenShares:
    """Sharing rules side by side; see `RULES` and `BurdenShares`.

    - "gdp" divides the optimum's total spending by GDP: one per cent for all. NATO's rule is also
      one per cent for all, but the pledged one (`pledge`), whatever that adds up to.
    - "benefit" (Bowen) divides the same total by what all forces together are worth to a member at
      their marginal value to it, in dollars of its consumption, at the optimum: theta_i times its
      consumption (theta_i Y_i if linear), since security is homogeneous of degree one in forces.
    - "lindahl" is what members pay in a Lindahl equilibrium: at personal prices for everybody's
      forces all want the same ones, and the prices cover their cost. Security is homogeneous of
      degree one in forces, influence of degree zero and ln x counts once, so that payments are the
      share (theta + h) / (1 + theta + h) of GDP with log consumption and theta + h with linear,
      whatever the forces are. It has a total of its own.

    `weights` as in `solve_social_optimum`; without pressure. Raises as `solve_social_optimum`.
    """
    check_game(game, "burden_shares")
    _check_wants(game)
    pledged = as_number(pledge, "pledge")
    if not 0 < pledged < 1:
        raise InvalidValueError(
            f"pledge must be a share of GDP in (0, 1), got {pledged:g}.{per_cent(pledged)}"
        )
    best = solve_social_optimum(game, weights, tolerances=tolerances)
    base, gdp = status_quo(game), game.by_member("gdp")
    worth = marginal_benefits(game, best.burdens)
    worth = worth if worth.any() else gdp  # Nobody values security: nothing to divide by.
    total = best.total_spending
    found = {
        "A": base.burdens,
        "optimum": best.burdens,
        "gdp": np.full(game.size, total / gdp.sum()),
        "benefit": total * worth / worth.sum() / gdp,
        "lindahl": lindahl_burdens(game),
        "nato": np.full(game.size, pledged),
    }
    return BurdenShares(best, base, pledged, found)


def _check_wants(game: BurdenSharingGame) -> None:
    """Lindahl's prices are derived for forces that are wanted in any mixture, and for a council."""
    found = ""
    if game.substitution > 1:
        found = (
            f"substitution = {game.substitution:g} > 1: members then want one kind of forces alone"
        )
    elif game.influence == "hub" and np.any(game.by_member("influence_weight")):
        found = 'influence="hub": contests with a rival are not shares of what members bring'
    if found:
        raise UnsupportedFormError(
            f"burden_shares is not written for {found}, and Lindahl prices need not exist. "
            "solve_social_optimum and price_of_anarchy are."
        )


def marginal_benefits(game: BurdenSharingGame, burdens: Array) -> Array:
    """What all forces are worth to each member at their marginal value, bn US$ of its consumption, (n,).

    The sum over j of x_j d(theta_i ln S_i)/dx_j, over the marginal utility of a dollar.
    """
    stage = stage_of(game, Plan())
    sums = aggregates(stage, burdens)
    slopes = chained(local(stage, burdens, sums.totals, ("security",)), sums).first
    return np.asarray((slopes @ burdens) * measures.payoff_worth(game, burdens))


def lindahl_burdens(game: BurdenSharingGame) -> Array:
    """Payments in a Lindahl equilibrium as shares of GDP, shape (n,); see `burden_shares`."""
    wanted = game.by_member("security_weight") + game.by_member("private_weight")
    return np.asarray(wanted / (1 + wanted) if game.consumption == "log" else wanted * 1.0)
