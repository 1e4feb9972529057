"""The exact limits of the technology: weakest link and best shot (Hirshleifer 1983)."""

from alliancegame.solve.extremes.answers import certify as certify
from alliancegame.solve.extremes.answers import equilibria as equilibria
from alliancegame.solve.extremes.answers import solve as solve
from alliancegame.solve.extremes.found import Component as Component
from alliancegame.solve.extremes.found import Found as Found
