"""`python -m alliancegame.cli` is the console script."""

from alliancegame.cli import main

main()
