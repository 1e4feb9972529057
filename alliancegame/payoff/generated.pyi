"""What the generated half of a kernel module offers to the engine (see kernels.py).

`sweep` functions fill arrays over members in slots 0 .. count-1; `stage` has the rows of
`alliancegame.solve.engine`.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

def power_rho(g: float, rho: float) -> float: ...
def power_m(g: float, m: float) -> float: ...
def ally_value(
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
    rho: float,
    m: float,
) -> tuple[float, float, float, float, float]: ...
def ally_sweep(
    count: int,
    x: Array,
    below: Array,
    Z: float,
    C: float,
    G: float,
    stage: Array,
    rho: float,
    m: float,
    F: Array,
    F_x: Array,
    F_Z: Array,
    F_C: Array,
    F_G: Array,
    Z_x: Array,
    C_x: Array,
) -> None: ...
def ally_security_power(
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
    rho: float,
    m: float,
) -> float: ...
def influence_share(pull: float, total: float) -> float: ...
def influence_worth(p: float) -> float: ...
def returned_spillin(return_spillin: float, mean_trust: float, cohesion: float) -> float: ...
def threat_cost(threat: float, curvature: float) -> float: ...
def trust_impact(decay: float, cost: float, contagion: float, others_cost: float) -> float: ...
def stationary_trust(impact: float, recovery: float, ceiling: float) -> float: ...
