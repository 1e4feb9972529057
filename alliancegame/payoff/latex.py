"""The model of a game in LaTeX, from the same symbols that the solvers compile."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.checks import check_game
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.payoff import symbolic as sy
from alliancegame.payoff import terms
from alliancegame.payoff.form import Form


def latex(game: BurdenSharingGame | ContinuousGame | AggregativeGame) -> str:
    r"""The payoffs, first-order conditions and trust law of a game, for an appendix.

    Returns text for a document that loads amsmath: one `align` environment whose lines are the
    ally's and the leader's payoff (terms that no member has are left out), security, influence,
    reliability, their first-order conditions, what congestion leaves of spill-ins that are one
    number for the alliance, and the trust law. Of a user's own game: payoffs, sums, first-order conditions
    and the sets of actions.

    Raises `InvalidValueError` for anything but a game.
    """
    if isinstance(game, (ContinuousGame, AggregativeGame)):
        from alliancegame.payoff.latex_custom import latex_of_own

        return latex_of_own(game)
    check_game(game, "latex", also=", a ContinuousGame or an AggregativeGame", extremes=True)
    taxed = bool(np.any(game.by_member("trade_exposure")))
    form = Form(
        game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
        game.influence, game.shortfall, taxed,
    )  # fmt: skip
    exponent = "" if game.decisiveness == 1 else "^m"
    lines = [
        *_member_lines(game, form, "i", leader=False),
        *_member_lines(game, form, r"\ell", leader=True),
        ("Z", r"\sum_{j \neq \ell} g_j" + ("" if game.substitution == 1 else r"^{\rho}")),
        *_sums(game, exponent),
        ("g_j", "e_j Y_j x_j"),
        *_spread_lines(game),
        *_trust_lines(game),
    ]
    said = _without_condition(game)
    body = " \\\\\n".join(f"  {left} &= {right}" for left, right in lines)
    return said + "\\begin{align}\n" + body + "\n\\end{align}\n"


def _without_condition(game: BurdenSharingGame) -> str:
    """A remark for the reader of the source where there are no first-order conditions to print."""
    if game.technology != "ces":
        return f"% {game.technology}: security has kinks, so there are no first-order conditions.\n"
    if game.shortfall == "trigger":
        return "% Allies' payoffs jump at their demands: no first-order conditions are printed for them.\n"
    return ""


def _sums(game: BurdenSharingGame, exponent: str) -> list[tuple[str, str]]:
    """What the members' influence is a share of: the council, or each ally's contest in a hub."""
    if game.influence == "hub":
        contest = r"r_j g_{\ell}^m + g_j^m + s_j".replace("^m", exponent)
        pull = r"r_j g_{\ell}^m".replace("^m", exponent)
        rate = (r"m r_j g_{\ell}^m e_{\ell} Y_{\ell} (g_j^m + s_j) / (g_{\ell} D_j^2)").replace(
            "m r_j", "m r_j" if exponent else "r_j"
        )
        slope = r"\frac{\mathrm{d} q_j}{\mathrm{d} x_{\ell}}"
        return [
            (r"q_j", rf"{pull} / D_j"),
            ("D_j", contest),
            (slope, rate.replace("^m", exponent)),
        ]
    council = r"\sum_{j \neq \ell} t_j g_j^m + \bar{T} t_{\ell} g_{\ell}^m"
    return [("C", council.replace("^m", exponent))]


_SHORTFALL = {
    "proportional": r"\max\left(0,\; 1 - x_i / d_i\right)",
    "trigger": r"\mathbf{1}_{x_i < d_i}",
    "logistic": r"1 / \left(1 + \exp\left((x_i - d_i) / w\right)\right)",
}
_EXTREME = {"weakest-link": r"\min", "best-shot": r"\max"}


def _extreme_security(game: BurdenSharingGame, leader: bool) -> str:
    """S as the smallest or largest of its components."""
    if leader:
        parts = r"g_{\ell},\; b_{\ell} \bar{T}^{\zeta} g_j : j \neq \ell"
    else:
        parts = r"g_i,\; b_i R_i g_{\ell},\; \beta_i g_j : j \neq i, \ell"
    return rf"{_EXTREME[game.technology]} \left\{{ {parts} \right\}}"


def _member_lines(
    game: BurdenSharingGame, form: Form, index: str, *, leader: bool
) -> list[tuple[str, str]]:
    """Payoff, security, influence and first-order condition of an ally or of the leader.

    Where security has kinks (its limits) or jumps (a trigger) there is no condition to print.
    """
    problem = sy.leader_problem(form) if leader else sy.ally_problem(form)
    shown = _Shown(form, index, leader)
    security, influence = _symbol(rf"S_{{{index}}}"), _symbol(rf"p_{{{index}}}")
    rho = sy.rho_symbol if game.substitution != 1 else sp.Integer(1)
    short = {
        "security": sp.log(security),
        "influence": terms.influence_value(game.influence_value, influence),
    }
    payoff, condition = [], []
    for term in _present_terms(game, problem, leader=leader):
        factor = sp.Integer(1) if term.weight is None else term.weight
        payoff.append(shown.text(factor * short.get(term.name, term.value)))
        if term.name == "security":
            rate = shown.short(problem.total(problem.security_power) / rho) / security**rho
        else:
            rate = shown.short(problem.total(term.value))
        condition.append(shown.text(factor * rate))
    power = shown.text(problem.security_power)
    technology = power if rho == 1 else rf"\left[ {power} \right]^{{1/\rho}}"
    if game.technology != "ces":
        technology = _extreme_security(game, leader)
    hub = leader and game.influence == "hub"
    lines = [
        (rf"u_{{{index}}}", _sum(payoff)),
        (rf"S_{{{index}}}", technology),
        (
            rf"p_{{{index}}}",
            r"\sum_{j \neq \ell} \omega_j q_j" if hub else shown.text(problem.influence),
        ),
    ]
    if not leader:
        pressure = terms.reliability(sy.bite, _symbol(r"\varphi_i"))
        lines += [
            ("R_i", shown.text(_symbol("r_i") * pressure)),
            (r"\varphi_i", _SHORTFALL[game.shortfall]),
        ]
    elif form.taxed:
        revenue = r"\sum_{j \neq \ell} \chi_j T_j \varphi_j (1 - \lambda_T) Y_j / Y_{\ell}"
        lines.append((r"V", revenue))
    if game.technology != "ces" or (game.shortfall == "trigger" and not leader):
        return lines
    left = rf"\frac{{\mathrm{{d}} u_{{{index}}}}}{{\mathrm{{d}} x_{{{index}}}}}"
    return [*lines, (left, _sum(condition) + " = 0")]


def _present_terms(
    game: BurdenSharingGame, problem: sy.MemberProblem, *, leader: bool
) -> list[sy.Term]:
    """The terms that somebody has: a weight of zero removes one."""
    names = {"security": "security_weight", "influence": "influence_weight"}
    names["private"] = "private_weight"
    mask = [(member == game.leader) == leader for member in game.members]
    return [
        term
        for term in problem.terms
        if term.weight is None or game.by_member(names[term.name])[mask].any()
    ]


def _sum(parts: list[str]) -> str:
    return " + ".join(parts).replace("+ -", "- ")


def _symbol(name: str) -> Any:
    return sp.Symbol(name, positive=True)


_LEFT = _symbol("left")
"""What a threat leaves of trust, R_i / r_i, while an expression is worked on."""


_MISSED = _symbol("missed")
"""The shortfall phi_i while an expression is worked on."""


class _Shown:
    """How the symbols of the kernels are printed for one member."""

    def __init__(self, form: Form, index: str, leader: bool) -> None:
        def own(name: str) -> Any:
            return _symbol(rf"{name}_{{{index}}}")

        trust = _symbol(r"\bar{T}")
        # Contests and smooth shortfalls grow too long where they are multiplied out.
        self.compact = form.hub or form.logistic
        self.missed = sy.shortfall(form)
        self.reliability = terms.reliability(sy.bite, self.missed)
        self.names = {
            sy.x: own("x"),
            sy.g: own("g"),
            sy.C: _symbol("C"),
            sy.Z: _symbol("Z"),
            sy.G: _symbol(r"g_{\ell}"),
            sy.scale: own("e") * own("Y"),
            sy.theta: own(r"\theta"),
            sy.alpha: own(r"\alpha"),
            sy.private: own("h"),
            sy.spillin: own(r"\beta"),
            sy.umbrella: own("b") * own("r"),
            sy.bite: own("c") * own(r"\tau"),
            sy.demand: own("d"),
            sy.below: sp.Symbol(r"\mathbf{1}_{x_i < d_i}"),
            sy.weight: own("r") if form.hub else trust * own("t") if leader else own("t"),
            sy.levy: own(r"\chi") * own("T"),
            sy.revenue: _symbol("V"),
            sy.rival: own("s"),
            sy.width: _symbol("w"),
            sy.share: _symbol(r"p_{\ell}"),
            sy.share_x: sp.Symbol(
                r"\sum_{j \neq \ell} \omega_j \frac{\mathrm{d} q_j}{\mathrm{d} x_{\ell}}"
            ),
            _MISSED: own(r"\varphi"),
            sy.returned: own("b") * trust ** _symbol(r"\zeta"),
            sy.rho_symbol: _symbol(r"\rho"),
            sy.m_symbol: _symbol("m"),
            _LEFT: _symbol("R_{i}") / own("r"),
        }

    def short(self, expression: Any) -> Any:
        """The expression multiplied out, so that what cancels does; R_i stays one symbol."""
        if self.compact:
            return sp.factor(self.named(expression))
        return sp.expand(expression.subs(self.reliability, _LEFT))

    def named(self, expression: Any) -> Any:
        """The expression with R_i and the shortfall as symbols of their own."""
        slope = sp.tanh((sy.x - sy.demand) / (2 * sy.width))
        named = expression.subs(self.reliability, _LEFT).subs(self.missed, _MISSED)
        return sp.sympify(named).subs(slope, 1 - 2 * _MISSED).subs(-slope, 2 * _MISSED - 1)

    def text(self, expression: Any) -> str:
        """The expression in LaTeX; what a threat leaves of trust is R_i / r_i."""
        named = self.named(expression).subs(self.names, simultaneous=True)
        merged = sp.powsimp(sp.expand_power_base(named))
        return str(sp.latex(merged, order="rev-lex"))


def _spread_lines(game: BurdenSharingGame) -> list[tuple[str, str]]:
    """What congestion leaves of a spill-in or umbrella that is one number for the alliance."""
    if not game.congestion:
        return []
    crowding = r"\left( Y_i / \sum_{j} Y_j \right)^{\eta}"
    return [
        (f"{symbol}_i", f"{symbol} {crowding}")
        for name, symbol in (("spillin", r"\beta"), ("umbrella", "b"))
        if not isinstance(getattr(game, name), np.ndarray)
    ]


def _trust_lines(game: BurdenSharingGame) -> list[tuple[str, str]]:
    """Trust when allies answer, as the game's horizon has it, and the allies' mean trust."""
    mean = [
        (r"\bar{T}", r"\sum_{j \neq \ell} \omega_j r_j"),
        (r"\omega_j", r"Y_j / \sum_{k \neq \ell} Y_k"),
    ]
    if game.trust_law.harmless:
        settled = game.horizon == "stationary" and game.recovery > 0
        return [("r_i", r"r_i^{\max}" if settled else "r_i^{0}"), *mean]
    decay, contagion = sp.Symbol(r"\kappa_i"), sp.Symbol(r"\xi")
    cost = sp.Symbol(r"\tau_i^{\nu}")
    others = sp.Symbol(r"\sum_{j \neq i,\, \ell} \omega_j \tau_j^{\nu}")
    recovery, ceiling = sp.Symbol(r"\mu"), sp.Symbol(r"r_i^{\max}")
    initial, impact = sp.Symbol("r_i^0"), sp.Symbol("E_i")
    factor = terms.trust_impact(decay, cost, contagion if game.contagion else sp.Integer(0), others)
    lines = [("E_i", str(sp.latex(factor)))]
    if game.horizon == "impact":
        lines.append(("r_i", str(sp.latex(initial * impact))))
    elif game.recovery > 0:
        lines.append(("r_i", str(sp.latex(terms.stationary_trust(impact, recovery, ceiling)))))
    return [*lines, *mean]
