"""The doors that serve every type of game: `solve_nash`, `certify`, `find_equilibria`, `solve_stackelberg`.

The one place where a game's type decides which solver answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, overload

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.checks import check_game
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.finite import FiniteGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.finite.profile import EquilibriumSet, Profile
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances

if TYPE_CHECKING:
    from alliancegame.solve.custom.profile import ActionEquilibria, ActionProfile

Game = BurdenSharingGame | FiniteGame | ContinuousGame | AggregativeGame

if TYPE_CHECKING:
    from alliancegame.solve.every.result import AllianceEquilibria


@overload
def solve_nash(
    game: BurdenSharingGame,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = ...,
    throw: bool = ...,
) -> Equilibrium: ...
@overload
def solve_nash(
    game: FiniteGame, plan: None = None, *, tolerances: Tolerances = ..., throw: bool = ...
) -> Profile: ...
@overload
def solve_nash(
    game: ContinuousGame | AggregativeGame,
    plan: None = None,
    *,
    tolerances: Tolerances = ...,
    throw: bool = ...,
) -> ActionProfile: ...
def solve_nash(
    game: Game,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = DEFAULT,
    throw: bool = True,
) -> Equilibrium | Profile | ActionProfile:
    """A Nash equilibrium, certified.

    Of an alliance game: the equilibrium in burdens under a plan (docs/theory/equilibrium); `Plan()` if
    none is given. A burden named in the plan is held fixed, and the result is then the allies'
    response. Where the theorem on simultaneous Nash does not hold, every root of the leader's
    condition is searched; the best for the leader is returned, the rest stand in `others`.

    Of a finite game: where all equilibria can be enumerated, the best for the first player, the rest
    in `others`; in larger games a pure one, or one by Lemke and Howson's paths.

    Of a `ContinuousGame` or an `AggregativeGame`: an equilibrium in pure actions; the first player's
    best, if several were found.

    Raises `ZeroTrustError` if trust has gone and the leader values influence in logs, and
    `ConvergenceError` if nothing is found; with `throw=False` the result then says "unverified" and
    its `message` why. Errors in the plan raise always.
    """
    check_tolerances(tolerances)
    if isinstance(game, FiniteGame):
        from alliancegame.solve.finite import nash as finite

        _no_plan(plan)
        return finite.solve_nash(game, tolerances=tolerances, throw=throw)
    if isinstance(game, (ContinuousGame, AggregativeGame)):
        _no_plan(plan)
        made: ActionProfile = _own(game).solve_nash(game, tolerances=tolerances, throw=throw)
        return made
    from alliancegame.solve import nash

    return nash.solve_nash(_alliance(game, "solve_nash"), plan, tolerances=tolerances, throw=throw)


def certify(
    game: Game,
    profile: Any,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = DEFAULT,
) -> Certificate:
    """Certify any profile, from anywhere: the true largest gain from any deviation.

    In an alliance game `profile` is burdens, a dict or Series by member or an array of shape (n,),
    shares of GDP within bounds. If the plan names the leader's burden, the leader is no player and
    its entry must be that burden. In a finite game it is a result, a dict {player: strategy} or a
    list in player order; a strategy is a label, an index, a dict {label: probability}, or an array. In
    a user's own game it is a result, a dict {player: action}, or numbers in order.

    Raises `InvalidValueError` for burdens outside their bounds and for what is no mixed strategy.
    """
    check_tolerances(tolerances)
    if isinstance(game, FiniteGame):
        from alliancegame.solve.finite import nash as finite

        _no_plan(plan)
        return finite.certify(game, profile, tolerances=tolerances)
    if isinstance(game, (ContinuousGame, AggregativeGame)):
        _no_plan(plan)
        held: Certificate = _own(game).certify(game, profile, tolerances=tolerances)
        return held
    from alliancegame.solve import nash

    return nash.certify(_alliance(game, "certify"), profile, plan, tolerances=tolerances)


@overload
def find_equilibria(
    game: FiniteGame, plan: None = None, *, method: str = ..., tolerances: Tolerances = ...
) -> EquilibriumSet: ...
@overload
def find_equilibria(
    game: ContinuousGame | AggregativeGame,
    plan: None = None,
    *,
    method: str = ...,
    tolerances: Tolerances = ...,
) -> ActionEquilibria: ...
@overload
def find_equilibria(
    game: BurdenSharingGame,
    plan: Plan | None = None,
    *,
    method: str = ...,
    tolerances: Tolerances = ...,
) -> AllianceEquilibria: ...
def find_equilibria(
    game: Game,
    plan: Plan | None = None,
    *,
    method: str = "complete",
    tolerances: Tolerances = DEFAULT,
) -> EquilibriumSet | ActionEquilibria | AllianceEquilibria:
    """All equilibria of a game, with a statement of what is known to be all.

    Of an alliance game: the pure equilibria in burdens under a plan (`Plan()` if none is given; a
    burden named in it is held fixed), with `completeness` "proven", "to a resolution" or "not known",
    continua in `components`, and a cycle of best replies where there is none. Trigger threats
    included: compliance sets are branched and pruned by proved bounds. Where the theorem on simultaneous
    Nash fails, intervals prove how many there are (docs/howto/all-equilibria).

    Of a finite game: `method` "complete" (default) gives, for two players, every extreme equilibrium
    and every component, in exact arithmetic and also where the game is degenerate; for more players,
    every pure equilibrium and mixed ones by polynomial continuation on every support. "pure" searches
    pure profiles only. For two players there are also "support-enumeration" and
    "vertex-enumeration", nashpy's, as it gives them, and "lemke-howson", the ends of all paths. Every
    profile carries its own certificate.

    Of a `ContinuousGame` or an `AggregativeGame`: all pure equilibria that are found, and, for up to
    five actions in all or one sum, boxes of profiles (values of the sum) that prove the list complete,
    or say up to what resolution it is. No pure equilibrium is an answer too. `method` is "complete".

    Raises `GameTooLargeError` beyond the limits of finite games (it gives count and limit),
    `ZeroTrustError` if trust has gone and the leader values influence in logs.

    >>> import alliancegame as ag
    >>> chicken = ag.FiniteGame([[[0, 7], [2, 6]], [[0, 2], [7, 6]]])
    >>> len(find_equilibria(chicken))
    3
    """
    check_tolerances(tolerances)
    if isinstance(game, FiniteGame):
        from alliancegame.solve.finite import nash as finite

        _no_plan(plan)
        return finite.find_equilibria(game, method=method, tolerances=tolerances)
    if isinstance(game, (ContinuousGame, AggregativeGame)):
        _no_plan(plan)
        if method != "complete":
            raise unknown_name("method", method, ["complete"], " for a user's own game")
        from alliancegame.solve.custom import equilibria, sums

        if isinstance(game, ContinuousGame):
            return equilibria.find_equilibria(game, tolerances=tolerances)
        return sums.find_equilibria(game, tolerances=tolerances)
    alliance = _alliance(game, "find_equilibria")
    if method != "complete":
        raise InvalidValueError(
            f"method belongs to finite games, got {method!r}: an alliance game takes "
            "find_equilibria(game, plan)."
        )
    from alliancegame.solve.every import find

    return find.find_equilibria(alliance, plan, tolerances=tolerances)


def solve_stackelberg(
    game: BurdenSharingGame | ContinuousGame | AggregativeGame,
    commit: Any = None,
    *,
    leader: str | None = None,
    plan: Plan | None = None,
    threat: Any = None,
    demand: Any = None,
    tariff: Any = None,
    burden: float | None = None,
    selection: str = "optimistic",
    credible: bool = False,
    objective: str = "payoff",
    interest_weight: float | None = None,
    interest_curvature: float = 0.0,
    targeted: bool = False,
    tolerances: Tolerances = DEFAULT,
    throw: bool = True,
) -> Any:
    """The leader's best commitment.

    In an alliance game: the plan that is best for the leader among those it can commit to. `commit` is
    any non-empty subset of threat, demand, tariff and burden (default: threat and burden). What is not
    committed stays as in `plan` (or in `threat`, `demand`, `tariff`, `burden`, which override it); a
    burden that is neither committed nor given is played simultaneously. Committed threats, demands and
    tariffs are uniform over allies, tariffs at most 100 %; with `targeted` each ally has its own threat,
    demand and tariff, as far as they are committed (with trigger threats, in games of up to 6 allies).

    `selection` says which answer of the allies counts where there are several. `objective`
    "national_interest" maximises W of docs/theory/outcomes instead of the payoff; `interest_weight` is
    its psi (by default the slope of the payoff at A), `interest_curvature` its lambda. `credible`
    carries threats out only where the leader then wants to, in its payoff (`credible_targets`); the
    result is then a `CredibleResult`. It goes with `targeted` and with both objectives (W counts the
    forces that executions leave), not with `selection="pessimistic"` or triggers.

    The search covers the whole box of plans at `tolerances.grid` points a dimension, halves every cell
    that could still hide a better plan, and polishes the best points; `leader_gap` estimates what it
    could have missed. Targeted plans are searched from several starts, the best uniform plan among
    them, and nothing bounds what is missed.

    In a `ContinuousGame`, or an `AggregativeGame` of at most 12 players: `leader` names the player who
    commits to its actions before the others play Nash; the result has the leader's payoff under both
    selections at its commitment.

    Raises `InvalidValueError`, `UnknownNameError`; `UnsupportedFormError` for combinations that cannot be
    searched; `ZeroTrustError` or `ConvergenceError` if no plan has an answer.
    """
    check_tolerances(tolerances)
    options = {
        "plan": plan, "threat": threat, "demand": demand, "tariff": tariff, "burden": burden,
        "credible": credible, "objective": objective, "interest_weight": interest_weight,
        "interest_curvature": interest_curvature, "targeted": targeted, "throw": throw,
    }  # fmt: skip
    if isinstance(game, (ContinuousGame, AggregativeGame)):
        from alliancegame.solve.custom import stackelberg as own

        usual = {"credible": False, "objective": "payoff", "interest_curvature": 0.0,
                 "targeted": False, "throw": True}  # fmt: skip
        given = [
            k for k, value in options.items() if value is not usual.get(k) and value != usual.get(k)
        ]
        if leader is None or commit is not None or given:
            raise InvalidValueError(
                "a user's own game takes leader=, selection= and tolerances= only: name the player who "
                f"leads, one of {', '.join(game.players)}."
            )
        written = game.expanded() if isinstance(game, AggregativeGame) else game
        return own.solve_stackelberg(written, leader, selection=selection, tolerances=tolerances)
    from alliancegame.solve.leader import stackelberg

    alliance = _alliance(game, "solve_stackelberg")
    if leader is not None:
        raise InvalidValueError("an alliance game names its own leader: leave leader= out.")
    if commit is not None:
        options["commit"] = commit
    return stackelberg.solve_stackelberg(
        alliance, selection=selection, tolerances=tolerances, **options
    )


def _own(game: ContinuousGame | AggregativeGame) -> Any:
    """The module that solves and certifies a user's own game."""
    from alliancegame.solve.custom import nash, sums

    return nash if isinstance(game, ContinuousGame) else sums


def _alliance(game: object, function: str) -> BurdenSharingGame:
    """The game as one of an alliance; what else the function takes has been dealt with before."""
    if isinstance(game, FiniteGame):
        raise InvalidValueError(
            f"{function} takes no finite game, got {game!r}: use solve_commitment(game)."
        )
    own = ", a ContinuousGame or an AggregativeGame"
    if function != "solve_stackelberg":
        own = ", a ContinuousGame, an AggregativeGame or a FiniteGame"
    check_game(game, function, also=own, extremes=True)
    return cast("BurdenSharingGame", game)


def _no_plan(plan: Plan | None) -> None:
    if plan is not None:
        raise InvalidValueError(
            "this type of game takes no plan: plans are strategies of an alliance game (discretise makes "
            "them strategies of a finite one)."
        )
