"""The same games given to what a user would otherwise pick: `python -m benchmarks.peers`.

Every solver gets the same games from the same starts and must reach the same accuracy, confirmed by
`alliancegame.certify`; what does not is counted as a failure. Ratios are of one run.
"""
