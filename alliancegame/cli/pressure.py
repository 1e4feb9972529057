"""Commands about pressure: stackelberg, compare, threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, leader, output
from alliancegame.cli.equilibria import certificate_line, exit_code, finish, model_name
from alliancegame.cli.output import (
    NO_NUMBER,
    Column,
    fixed,
    headed,
    percent,
    rounded,
    share,
    short,
)
from alliancegame.errors import InvalidValueError

if TYPE_CHECKING:
    from alliancegame.cli.equilibria import Facts
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.solve.leader.stackelberg import StackelbergResult
    from alliancegame.study.backfire import Backfire
    from alliancegame.study.compare import Comparison


def stackelberg(
    model: inputs.Model,
    commit: Annotated[
        list[str] | None,
        typer.Option(
            "--commit",
            metavar="WHAT",
            help="What the leader commits to: threat, demand, tariff, burden. May be repeated.  "
            "[default: threat and burden]",
        ),
    ] = None,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    selection: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="Which answer the leader reckons with if there are several: optimistic or "
            "pessimistic.",
        ),
    ] = "optimistic",
    targeted: Annotated[
        bool,
        typer.Option("--targeted", help="Let threats, demands and tariffs differ by ally."),
    ] = False,
    credible: Annotated[
        bool,
        typer.Option(
            "--credible",
            help="Carry threats out only where the leader then wants to (see execution_saving).",
        ),
    ] = False,
    objective: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="What the leader maximises: payoff or national_interest."
        ),
    ] = "payoff",
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Find the best plan to which the leader can commit.

    Whatever is not committed stays as --threat, --demand and --burden say.
    """
    import alliancegame as ag

    chosen = [name for text in commit or ["threat,burden"] for name in _words(text)]
    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        base = inputs.base_plan(game, model_plan)
        given = inputs.plan_fields(game, base, threat, demand, burden, tariff)
        found = ag.solve_stackelberg(
            game, chosen, plan=base, selection=selection, targeted=targeted, credible=credible,
            objective=objective, **given,
        )  # fmt: skip
        comparison = found.comparison if not json and not credible else None
    if json:
        output.write(found.to_json(certificate=True) + "\n")
    elif comparison is None:
        leader.print_credible(found, inputs.describe_changes(changes, recalibrate))
    else:
        _print_stackelberg(found, comparison, inputs.describe_changes(changes, recalibrate))
    return exit_code([found.certificate, found.baseline.certificate])


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _print_stackelberg(found: StackelbergResult, comparison: Comparison, changed: str) -> None:
    committed = " and ".join(found.commit)
    output.print_title(
        f"{model_name(found.response)}: the best plan if {found.game.leader} commits its {committed}"
    )
    _print_comparison_table(comparison)
    gap = found.doubt()
    if found.targets is None and found.interest is None:
        gap = (
            f"a better plan could gain {short(found.leader_gap)} of payoff "
            f"({short(found.leader_gap_usd_bn)} bn US$ a year) at most, by the search's estimate"
        )
    facts: Facts = [("best plan", found.plan.describe())]
    if not found.plan.pressure:
        facts.append(("threat", _no_threat(found, comparison)))
    facts += [("search", gap), ("", found.search), *leader.interest_facts(found)]
    if 0 < rounded(comparison.delta_payoff) < found.leader_gap:
        facts.append(("", "the gain is smaller than that: a finer search could find another plan"))
    finish([*facts, *_comparison_facts(comparison)], changed)


def _no_threat(found: StackelbergResult, comparison: Comparison) -> str:
    """Why the best plan threatens nobody."""
    if "threat" not in found.commit:
        return (
            "none is made: a demand without a threat does nothing; commit the threat as well "
            "(--commit threat), or give one (--threat)"
        )
    if rounded(comparison.commitment) > 0:
        return "none is best: commitment pays, pressure does not"
    return "none is best"


def compare(
    model: inputs.Model,
    plans: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PLAN",
            help="Plans such as threat=0.5,demand=0.03,burden=0.034 or 'threat[DEU]=0.5'. What one "
            "does not name is as in the options, else as in the model's own plan.",
        ),
    ] = None,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    tariff: inputs.Tariff = None,
    burden: Annotated[
        str | None,
        typer.Option(
            "--burden",
            metavar="SHARE",
            help="The leader's own defence spending, share of GDP, to which it commits; none if it "
            "plays at the same time as its allies.",
        ),
    ] = None,
    discount: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Weight of the next year, in (0, 1): adds what the plan is worth if it is kept for ever "
            "and trust carries over.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say it in sentences, not in tables.")
    ] = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Compare plans with the status quo, to see if pressure pays.

    Shows for whom, and why. Without a plan or options, the model's own plan is compared.

    \b
    success      the leader saves more, has less influence, and is better off (B)
    windfall     the leader is better off otherwise
    break-even   as well off as before, at another place
    status quo   nothing changes
    futile       the leader is worse off, and does not save more
    backfire     the leader saves more, and is worse off (C)
    """  # noqa: D301 (typer wants the character)
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        own = inputs.base_plan(game, model_plan=True)
        base = inputs.plan_from(game, own, threat, demand, burden, tariff)
        weight: Any = None if discount is None else inputs.number(discount)
        found = ag.compare(
            game, inputs.plans_from(game, base, plans or []) or [base], discount=weight
        )
    items = list(found)
    changed = inputs.describe_changes(changes, recalibrate)
    if json:
        output.write((found if len(items) > 1 else items[0]).to_json(certificate=True) + "\n")
    elif explain:
        output.print_text("\n\n\n".join(ag.explain(item) for item in items))
        if changed:
            output.print_text(f"\nChanged: {changed}.")
    elif len(items) > 1:
        _print_comparisons(items, changed)
    else:
        output.print_title(f"{model_name(items[0].result)}: {items[0].plan.describe()}, against A")
        _print_comparison_table(items[0])
        finish(_comparison_facts(items[0]), changed)
    return exit_code([items[0].baseline.certificate, *(item.certificate for item in items)])


def _print_comparison_table(found: Comparison) -> None:
    game, lead = found.game, found.game.members.leader_index
    table = found.table
    gdp = game.by_member("gdp")
    before, after = found.baseline, found.result
    allies = [i for i in range(game.size) if i != lead]

    def column(name: str) -> list[float]:
        values: list[float] = table[name].tolist()
        return values

    def with_sum(values: list[float]) -> list[float]:
        return [*values, sum(values[i] for i in allies)]

    trust = [math.nan if i == lead else t for i, t in enumerate(column("trust"))]
    weight = float(gdp.sum() - gdp[lead])
    loss = sum(column("usd_bn")[i] for i in allies)
    output.print_table(
        [
            Column("member", [*game.members, "allies"], left=True),
            Column("burden\nA, %", percent([*before.burdens, before.allied_burden])),
            Column("plan\n%", percent([*after.burdens, after.allied_burden])),
            Column("spending\nbn US$", fixed(with_sum(column("spending_change")), signed=True)),
            Column("influence\nA, %", percent(with_sum(column("influence_A"))), drop=2),
            Column("plan\n%", percent(with_sum(column("influence_plan")))),
            Column("trust\n", fixed([*trust, after.operating_trust[lead]], 3), drop=1),
            Column(
                "gain\n% of GDP",
                percent([*_gdp_share(found), loss / weight], 3, signed=True),
                drop=3,
            ),
            Column("gain\nbn US$", fixed([*column("usd_bn"), loss], signed=True)),
        ],
        bold=[lead],
        footer=1,
    )


def _gdp_share(found: Comparison) -> list[float]:
    usd, gdp = found.table["usd_bn"].tolist(), found.game.by_member("gdp").tolist()
    return [money / size for money, size in zip(usd, gdp, strict=True)]


def _comparison_facts(found: Comparison) -> Facts:
    game, lead = found.game, found.game.members.leader_index
    before, after = found.baseline, found.result
    gains = [g for i, g in enumerate((after.payoffs - before.payoffs).tolist()) if i != lead]
    parts = [
        f"{_payoff(found.leverage)} pressure if trust stayed unharmed",
        f"{_payoff(found.trust_loss)} lost trust",
    ]
    if not found.plan.pressure:
        parts = ["no threat is made"]
    if found.plan.burden is not None:
        parts.insert(0, f"{_payoff(found.commitment)} committing its burden")
    verdict = (
        f": {game.leader} gains {_payoff(found.delta_payoff)} of payoff, worth "
        f"{short(found.gain_usd_bn, signed=True)} bn US$ a year"
    )
    own = (
        f"{game.leader}: burden {_change(before.burdens[lead], after.burdens[lead])} of GDP, "
        f"influence {_change(before.leader_influence, after.leader_influence)}, share of its "
        f"security that it does not pay for {_change(before.savings, after.savings)}"
    )
    allied = (
        f"burden {_change(before.allied_burden, after.allied_burden)} of GDP; mean trust "
        f"{before.operating_trust[lead]:.3g} to {after.operating_trust[lead]:.3g}; "
        f"{sum(g < 0 for g in gains)} of {len(gains)} worse off"
    )
    facts: Facts = [
        ("outcome", headed(found.outcome, verdict)),
        ("why", ", ".join(parts)),
        ("leader", own),
        ("allies", allied),
    ]
    if not math.isnan(found.versus_best_burden):
        best = f"{_payoff(found.versus_best_burden)} of payoff"
        facts.append(("against", f"the best burden that it could commit without pressure: {best}"))
    if found.note:
        facts.append(("note", found.note))
    if found.lasting is not None:
        facts.append(
            (
                "kept for ever",
                (
                    f"{short(found.present_value_usd_bn, signed=True)} bn US$ in present value, "
                    f"discount {found.lasting.discount:g}"
                ),
            )
        )
    if found.flags:
        facts.append(("flags", ", ".join(flag.replace("_", " ") for flag in found.flags)))
    facts.append(("A", certificate_line(before.certificate)))
    return [*facts, ("the plan", certificate_line(found.certificate))]


def _payoff(value: float) -> str:
    """A payoff difference with its sign; what only rounding makes is 0."""
    return short(rounded(value), signed=True)


def _change(before: float, after: float) -> str:
    return f"{share(before)} to {share(after)}"


def _print_comparisons(items: Sequence[Comparison], changed: str) -> None:
    first = items[0]
    lead = first.game.members.leader_index
    output.print_title(f"{model_name(first.result)}: {len(items)} plans against A")
    output.print_table(
        [
            Column("plan", [str(i) for i in range(1, len(items) + 1)]),
            Column("outcome", [c.outcome for c in items], left=True),
            Column("gain\nbn US$", fixed([c.gain_usd_bn for c in items], signed=True)),
            Column("gain\npayoff", _sci(c.delta_payoff for c in items)),
            Column("commit-\nment", _sci(c.commitment for c in items), drop=4),
            Column("lever-\nage", _sci(c.leverage for c in items), drop=3),
            Column("lost\ntrust", _sci(c.trust_loss for c in items), drop=3),
            Column("savings\n%", percent(c.result.savings for c in items), drop=2),
            Column("influence\n%", percent(c.result.leader_influence for c in items), drop=2),
            Column("burden\nleader, %", percent(c.result.burdens[lead] for c in items), drop=1),
            Column("burden\nallies, %", percent(c.result.allied_burden for c in items), drop=1),
            Column("verdict", [c.certificate.verdict for c in items], left=True),
        ],
        colour=True,
    )
    plans: Facts = [(f"plan {i}", _plan_and_flags(c)) for i, c in enumerate(items, 1)]
    plans += [("note", note) for note in dict.fromkeys(c.note for c in items) if note]
    finish([*plans, ("A", certificate_line(first.baseline.certificate))], changed)


def _plan_and_flags(found: Comparison) -> str:
    flags = ", ".join(flag.replace("_", " ") for flag in found.flags)
    return found.plan.describe() + (f" ({flags})" if flags else "")


def _sci(values: Any) -> list[str]:
    return [NO_NUMBER if math.isnan(v) else f"{v:+.2e}" if rounded(v) else "0" for v in values]


# --- threshold -----------------------------------------------------------------------------------


def threshold(
    model: inputs.Model,
    demand: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Demanded defence spending, share of GDP, of all allies: 0.02 or 2%.  "
            "[default: the demand of the model's own plan]",
        ),
    ] = None,
    own_burden: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="What the leader does with its own burden at each threat: committed (it chooses "
            "and commits it anew) or simultaneous.",
        ),
    ] = "committed",
    points: Annotated[
        int, typer.Option(metavar="N", help="How many threats in [0, 1] are tried before refining.")
    ] = 101,
    at: Annotated[
        str,
        typer.Option(
            "--break-even-threat",
            metavar="NUMBER",
            help="The threat at which the decay of trust that breaks even is asked.",
        ),
    ] = "1",
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> None:
    """Find the best threat, and where pressure backfires.

    V is the leader's payoff when it threatens all allies alike and chooses its own burden anew.
    These are searched, not certified: the scan and its refinement are as fine as --points says.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        full: Any = inputs.number(at)
        found = ag.backfire_threshold(
            game, _demand(game, demand), burden=own_burden, points=points, break_even_threat=full
        )
    if json:
        output.write(found.to_json(certificate=True) + "\n")
        return
    output.print_title(
        f"{game.provenance.get('model')}: the leader's payoff V against the threat, demand "
        f"{share(found.demand)} of GDP"
    )
    _print_threshold(found)
    finish(_threshold_facts(found), inputs.describe_changes(changes, recalibrate))


def _demand(game: BurdenSharingGame, demand: str | None) -> Any:
    """The demand on all allies: as typed, or the model's own plan's."""
    if demand is not None:
        return inputs.plan_value("demand", demand)
    own = inputs.base_plan(game, model_plan=True).demand
    if isinstance(own, float):
        return own
    raise InvalidValueError(
        "the model's own plan demands different burdens of different allies: name one with --demand."
    )


def _print_threshold(found: Backfire) -> None:
    last = len(found.threats) - 1
    rows = sorted({round(i * last / 10) for i in range(11)})
    output.print_table(
        [
            Column("threat", [f"{found.threats[i]:.3f}" for i in rows]),
            Column("V - V(0)\npayoff", _sci(found.gains[i] for i in rows)),
            Column("V - V(0)\nbn US$", fixed([found.gains_usd_bn[i] for i in rows], signed=True)),
            Column("own burden\n% of GDP", percent(found.own_burdens[i] for i in rows)),
        ]
    )


def _threshold_facts(found: Backfire) -> Facts:
    decays = [k for k in found.break_even_decay if math.isfinite(k)]
    gains = f"{short(found.best_gain)} of payoff, {short(found.best_gain_usd_bn)} bn US$ a year"
    limit = (
        "never backfires: V stays at or above V(0)"
        if math.isnan(found.threshold)
        else f"backfires above a threat of {found.threshold:.4f}"
    )
    intervals = ", ".join(f"{low:.4g} to {high:.4g}" for low, high in found.acceptable)
    return [
        ("best threat", f"{found.best:.4f}, which gains {gains}"),
        ("pressure", limit),
        ("V >= V(0)", f"for threats of {intervals}"),
        (
            "break-even",
            f"at a threat of {found.break_even_threat:g} pressure is worth nothing if decay is "
            f"{', '.join(f'{k:.4g}' for k in decays)} (kappa, log points of trust)"
            if decays
            else f"no decay makes a threat of {found.break_even_threat:g} worth exactly nothing",
        ),
        ("own burden", found.burden),
        ("search", f"{len(found.threats)} threats, refined; not certified"),
    ]
