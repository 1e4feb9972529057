"""Named sweeps: `python -m benchmarks.sweeps [NAME …]` regenerates the project's maps.

Each sweep is one TOML file in `named/`; README.md there describes what it may say.
"""
