"""What the generated half of a kernel module offers to the engine (see kernels.py).

`ally_sweep` works on packed allies: blocks of CELL numbers, each CELL_ROWS rows of LANES allies; row
P_... of a block begins at that place in it.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HUB: bool
TAXED: bool
SMOOTH: bool
LANES: int
CELL_ROWS: int
CELL: int
P_SAFE: int
P_BELOW: int
P_SCALE: int
P_THETA: int
P_ALPHA: int
P_PRIVATE: int
P_SPILLIN: int
P_UMBRELLA: int
P_BITE: int
P_DEMAND: int
P_WEIGHT: int
P_LEVY: int
P_RIVAL: int
P_WIDTH: int
P_F: int
P_FX: int
P_FZ: int
P_FC: int
P_FG: int
P_ZX: int
P_CX: int
P_LOW: int
P_HIGH: int
P_KIND: int
P_PRESSED: int
P_BURDEN: int
P_LEFT: int
P_RIGHT: int
P_STEP: int
P_POSSIBLE: int

def power_rho(g: float, rho: float) -> float: ...
def power_m(g: float, m: float) -> float: ...
def ally_value(
    x: float,
    below: float,
    others: float,
    C: float,
    G: float,
    scale: float,
    theta: float,
    alpha: float,
    private: float,
    spillin: float,
    umbrella: float,
    bite: float,
    demand: float,
    weight: float,
    levy: float,
    rival: float,
    width: float,
    rho: float,
    m: float,
) -> float: ...
def ally_marginal(
    x: float,
    below: float,
    others: float,
    C: float,
    G: float,
    scale: float,
    theta: float,
    alpha: float,
    private: float,
    spillin: float,
    umbrella: float,
    bite: float,
    demand: float,
    weight: float,
    levy: float,
    rival: float,
    width: float,
    rho: float,
    m: float,
) -> float: ...
def ally_conditions(
    x: float,
    below: float,
    Z: float,
    C: float,
    G: float,
    scale: float,
    theta: float,
    alpha: float,
    private: float,
    spillin: float,
    umbrella: float,
    bite: float,
    demand: float,
    weight: float,
    levy: float,
    rival: float,
    width: float,
    rho: float,
    m: float,
) -> tuple[float, float, float, float, float]: ...
def ally_sweep(
    cells: Array, first: int, last: int, Z: float, C: float, G: float, rho: float, m: float
) -> None: ...
def ally_security_power(
    x: float,
    below: float,
    others: float,
    C: float,
    G: float,
    scale: float,
    theta: float,
    alpha: float,
    private: float,
    spillin: float,
    umbrella: float,
    bite: float,
    demand: float,
    weight: float,
    levy: float,
    rival: float,
    width: float,
    rho: float,
    m: float,
) -> float: ...
def leader_value(
    x: float,
    Z: float,
    C: float,
    scale: float,
    theta: float,
    alpha: float,
    private: float,
    weight: float,
    returned: float,
    revenue: float,
    share: float,
    share_x: float,
    share_xx: float,
    rho: float,
    m: float,
) -> float: ...
def leader_conditions(
    x: float,
    Z: float,
    C: float,
    scale: float,
    theta: float,
    alpha: float,
    private: float,
    weight: float,
    returned: float,
    revenue: float,
    share: float,
    share_x: float,
    share_xx: float,
    rho: float,
    m: float,
) -> tuple[float, float, float, float]: ...
def leader_security_power(
    x: float,
    Z: float,
    C: float,
    scale: float,
    theta: float,
    alpha: float,
    private: float,
    weight: float,
    returned: float,
    revenue: float,
    share: float,
    share_x: float,
    share_xx: float,
    rho: float,
    m: float,
) -> float: ...
def influence_share(pull: float, total: float) -> float: ...
def influence_worth(p: float) -> float: ...
def returned_spillin(return_spillin: float, mean_trust: float, cohesion: float) -> float: ...
def threat_cost(threat: float, curvature: float) -> float: ...
def shortfall(x: float, below: float, demand: float, width: float) -> float: ...
def hub_share(
    x: float, scale: float, weight: float, g: float, rival: float, m: float
) -> tuple[float, float, float]: ...
def trust_impact(
    decay: float,
    cost: float,
    contagion: float,
    others_cost: float,
    tariff_decay: float,
    tariff: float,
) -> float: ...
def stationary_trust(impact: float, recovery: float, ceiling: float) -> float: ...
