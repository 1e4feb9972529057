"""The doors that serve every type of game: `solve_nash`, `certify`, `find_equilibria`.

The one place where a game's type decides which solver answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, overload

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import check_game
from alliancegame.game.finite import FiniteGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.finite.profile import EquilibriumSet, Profile
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import DEFAULT, Tolerances

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
def solve_nash(
    game: BurdenSharingGame | FiniteGame,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = DEFAULT,
    throw: bool = True,
) -> Equilibrium | Profile:
    """A Nash equilibrium, certified.

    Of an alliance game: the equilibrium in burdens under a plan (docs/theory/equilibrium); `Plan()` if
    none is given. A burden named in the plan is held fixed, and the result is then the allies'
    response. Where the theorem on simultaneous Nash does not hold, every root of the leader's
    condition is searched; the best for the leader is returned, the rest stand in `others`.

    Of a finite game: where all equilibria can be enumerated, the best for the first player, the rest
    in `others`; in larger games a pure one, or one by Lemke and Howson's paths.

    Raises `ZeroTrustError` if trust has gone and the leader values influence in logs, and
    `ConvergenceError` if nothing is found; with `throw=False` the result then says "unverified" and
    its `message` why. Errors in the plan raise always.
    """
    if isinstance(game, FiniteGame):
        from alliancegame.solve.finite import nash as finite

        _no_plan(plan)
        return finite.solve_nash(game, tolerances=tolerances, throw=throw)
    from alliancegame.solve import nash

    return nash.solve_nash(_alliance(game, "solve_nash"), plan, tolerances=tolerances, throw=throw)


def certify(
    game: BurdenSharingGame | FiniteGame,
    profile: Any,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = DEFAULT,
) -> Certificate:
    """Certify any profile, from anywhere: the true largest gain from any deviation.

    In an alliance game `profile` is burdens, a dict or Series by member or an array of shape (n,),
    shares of GDP within bounds. If the plan names the leader's burden, the leader is no player and
    its entry must be that burden. In a finite game it is a result, a dict {player: strategy} or a
    list in player order; a strategy is a label, an index, a dict {label: probability}, or an array.

    Raises `InvalidValueError` for burdens outside their bounds and for what is no mixed strategy.
    """
    if isinstance(game, FiniteGame):
        from alliancegame.solve.finite import nash as finite

        _no_plan(plan)
        return finite.certify(game, profile, tolerances=tolerances)
    from alliancegame.solve import nash

    return nash.certify(_alliance(game, "certify"), profile, plan, tolerances=tolerances)


@overload
def find_equilibria(
    game: FiniteGame, plan: None = None, *, method: str = ..., tolerances: Tolerances = ...
) -> EquilibriumSet: ...
@overload
def find_equilibria(
    game: BurdenSharingGame,
    plan: Plan | None = None,
    *,
    method: str = ...,
    tolerances: Tolerances = ...,
) -> AllianceEquilibria: ...
def find_equilibria(
    game: FiniteGame | BurdenSharingGame,
    plan: Plan | None = None,
    *,
    method: str = "complete",
    tolerances: Tolerances = DEFAULT,
) -> EquilibriumSet | AllianceEquilibria:
    """All equilibria of a game, with a statement of what is known to be all.

    Of an alliance game: the pure equilibria in burdens under a plan (`Plan()` if none is given; a
    burden named in it is held fixed), with `completeness` "proven", "to a resolution" or "not known",
    continua in `components`, and a cycle of best replies where there is none. Trigger threats
    included: compliance sets are branched and pruned by proved bounds (docs/howto/all-equilibria).

    Of a finite game: `method` "complete" (default) gives, for two players, every extreme equilibrium
    and every component, in exact arithmetic and also where the game is degenerate; for more players,
    every pure equilibrium and mixed ones by polynomial continuation on every support. "pure" searches
    pure profiles only. For two players there are also "support-enumeration" and
    "vertex-enumeration", nashpy's, as it gives them, and "lemke-howson", the ends of all paths. Every
    profile carries its own certificate.

    Raises `GameTooLargeError` beyond the limits of finite games (it gives count and limit),
    `ZeroTrustError` if trust has gone and the leader values influence in logs.

    >>> import alliancegame as ag
    >>> chicken = ag.FiniteGame([[[0, 7], [2, 6]], [[0, 2], [7, 6]]])
    >>> len(find_equilibria(chicken))
    3
    """
    if isinstance(game, FiniteGame):
        from alliancegame.solve.finite import nash as finite

        _no_plan(plan)
        return finite.find_equilibria(game, method=method, tolerances=tolerances)
    alliance = _alliance(game, "find_equilibria")
    if method != "complete":
        raise InvalidValueError(
            f"method belongs to finite games, got {method!r}: an alliance game takes "
            "find_equilibria(game, plan)."
        )
    from alliancegame.solve.every import find

    return find.find_equilibria(alliance, plan, tolerances=tolerances)


def _alliance(game: object, function: str) -> BurdenSharingGame:
    check_game(game, function, also=" or a FiniteGame")
    return cast("BurdenSharingGame", game)


def _no_plan(plan: Plan | None) -> None:
    if plan is not None:
        raise InvalidValueError(
            "a finite game takes no plan: plans are strategies of an alliance game (discretise makes "
            "them strategies of a finite one)."
        )
