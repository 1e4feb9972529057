"""The report's tables, as frames: what is written as CSV is what the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.spec import DEFAULT
from alliancegame.library import specification
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.result import Equilibrium

if TYPE_CHECKING:
    import pandas as pd

    from alliancegame.report.dynamics import Dynamics
    from alliancegame.report.findings import Findings


NAMES = (
    "members", "plans", "parameters", "certificates", "equilibrium_A", "equilibrium_best",
    "equilibrium_plan", "equilibrium_full", "threat_curve", "frontier", "signs", "signs_summary",
    "exposure", "trust_paths", "trust_policy", "trust_regimes", "opinion",
)  # fmt: skip
"""Names of the tables' files; a report may lack some."""


def members(found: Findings) -> pd.DataFrame:
    """Every member: facts, A, and for each plan its burden and what the plan is worth to it."""
    import pandas as pd

    game, base = found.game, found.baseline
    names = game.provenance.get("names", {})
    columns: dict[str, Any] = {
        "name": [names.get(label, label) for label in game.members],
        "gdp_usd_bn": game.by_member("gdp"),
        "security_weight": game.by_member("security_weight"),
        "burden_A": base.burdens,
        "spending_A_usd_bn": base.spending.to_numpy(),
        "influence_A": base.influences,
    }
    for case in found.cases:
        table = case.comparison.table
        columns[f"burden_{case.key}"] = table["burden_plan"].to_numpy()
        columns[f"spending_change_{case.key}_usd_bn"] = table["spending_change"].to_numpy()
        columns[f"influence_{case.key}"] = table["influence_plan"].to_numpy()
        columns[f"trust_{case.key}"] = table["trust"].to_numpy()
        columns[f"delta_payoff_{case.key}"] = table["delta_payoff"].to_numpy()
        columns[f"worth_{case.key}_usd_bn"] = table["usd_bn"].to_numpy()
    return pd.DataFrame(columns, index=pd.Index(game.members.labels, name="member"))


def plans(found: Findings) -> pd.DataFrame:
    """A and every plan, a row each: the leader's outcome, its parts, savings, influence, burdens."""
    import pandas as pd

    base = found.baseline
    lead = found.game.members.leader_index
    rows: list[dict[str, Any]] = [
        {
            "label": "A",
            "plan": base.plan.describe(),
            "outcome": "status quo",
            "savings": base.savings,
            "influence": base.leader_influence,
            "compensated_savings": base.compensated_savings,
            "leader_burden": float(base.burdens[lead]),
            "allied_burden": base.allied_burden,
            "verdict": base.certificate.verdict,
        }
    ]
    rows += [
        {
            "label": case.label,
            **case.comparison.row(),
            "compensated_savings": case.comparison.result.compensated_savings,
        }
        for case in found.cases
    ]
    return pd.DataFrame(rows).set_index("label")


def certificates(found: Findings) -> pd.DataFrame:
    """The certificate of A and of every plan's equilibrium; the search gap of the best plan."""
    import pandas as pd

    rows = []
    gaps = {c.label: c.stackelberg.leader_gap for c in found.cases if c.stackelberg is not None}
    for label, result in found.points.items():
        rows.append({"label": label, **_certificate(result.certificate), "message": result.message})
        rows[-1]["leader_gap"] = gaps.get(label, np.nan)
    return pd.DataFrame(rows).set_index("label")


def _certificate(made: Certificate) -> dict[str, Any]:
    data = {k: v for k, v in vars(made).items() if k != "tolerances"}
    return {**data, "worst": made.worst or ""}


def parameters(game: BurdenSharingGame) -> pd.DataFrame:
    """Every parameter: symbol, meaning, value, unit, status and source."""
    import pandas as pd

    origins = specification(game, "report").origins
    rows = []
    for name, parameter in PARAMETERS.items():
        origin = origins.get(name, DEFAULT)
        rows.append(
            {
                "parameter": name,
                "symbol": parameter.symbol,
                "meaning": parameter.doc,
                "value": show_value(game, name),
                **_bounds(game, name),
                "unit": "form" if parameter.choices else parameter.unit,
                "status": origin.status,
                "source": origin.source,
            }
        )
    return pd.DataFrame(rows).set_index("parameter")


def _bounds(game: BurdenSharingGame, name: str) -> dict[str, float]:
    """The least and the largest value over the members it is for; nan for a form."""
    value = getattr(game, name)
    if isinstance(value, str):
        return {"least": np.nan, "largest": np.nan}
    numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
    if PARAMETERS[name].scope == "ally" and numbers.size > 1:
        numbers = np.delete(numbers, game.members.leader_index)
    known = numbers[~np.isnan(numbers)] if np.isfinite(numbers).any() else numbers
    return {"least": float(known.min()), "largest": float(known.max())}


def show_value(game: BurdenSharingGame, name: str) -> str:
    """A parameter's value in one cell: a number, a form, or the range over the members it is for."""
    value = getattr(game, name)
    if PARAMETERS[name].unset and not np.isfinite(value).any():
        return PARAMETERS[name].unset
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _short(value)
    numbers = np.asarray(value)
    lead = game.members.leader_index
    allies = np.delete(numbers, lead)
    allies = allies[~np.isnan(allies)]
    span = _short(float(allies.min()))
    if np.ptp(allies) > 0:
        span = f"{span} to {_short(float(allies.max()))}"
    if PARAMETERS[name].scope == "ally":
        return span
    return f"{game.leader} {_short(float(numbers[lead]))}; allies {span}"


def _short(number: float) -> str:
    """Five digits, no powers of ten for what tables of alliances hold."""
    return f"{number:,.5g}" if abs(number) < 1e4 else f"{number:,.0f}"


def frames(found: Findings) -> dict[str, pd.DataFrame]:
    """Every table by the name of its file."""
    import pandas as pd

    made = {
        "members": members(found),
        "plans": plans(found),
        "parameters": parameters(found.game),
        "certificates": certificates(found),
    }
    made |= {f"equilibrium_{key}": e.to_frame() for key, e in _equilibria(found).items()}
    for name, results in (("threat_curve", found.curves), ("frontier", found.frontiers)):
        if results:
            labelled = {label: result.to_frame() for label, result in results.items()}
            joined = pd.concat(labelled, names=["label"])
            made[name] = joined.reset_index(level=1, drop=True)
    if found.signs is not None and len(found.signs):
        made["signs"] = found.signs.to_frame().set_index("plan")
        made["signs_summary"] = found.signs.summary().set_index("plan")
    if found.dynamics is not None:
        made |= _dynamics(found.dynamics)
    if found.exposure is not None:
        fit = found.exposure
        made["exposure"] = fit.values.to_frame().assign(distance_km=fit.distances)
    return made


def _dynamics(found: Dynamics) -> dict[str, pd.DataFrame]:
    """Paths by concept and period, the policy against trust, the map, and what polls say."""
    import pandas as pd

    paths = {concept: path.to_frame() for concept, path in found.paths.items()}
    made = {"trust_paths": pd.concat(paths, names=["concept"])}
    if found.policy is not None and found.policy.policy is not None:
        made["trust_policy"] = found.policy.policy.to_frame().set_index("trust")
    if found.regimes is not None:
        made["trust_regimes"] = found.regimes.to_frame().set_index(list(found.regimes.names))
    if found.fit is not None:
        made["opinion"] = found.fit.to_frame()
    return made


def _equilibria(found: Findings) -> dict[str, Equilibrium]:
    return {"A": found.baseline, **{c.key: c.comparison.result for c in found.cases}}
