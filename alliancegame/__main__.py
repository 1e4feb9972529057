"""`python -m alliancegame` is the console script."""

from alliancegame.cli import main

main()
