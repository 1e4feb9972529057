"""The speed suite: `python -m benchmarks.speed` (or `make benchmark`).

Every figure is a median of repetitions by `time.perf_counter` and stands beside a description of the
machine, since it holds for that machine only; ratios come from one run and travel better.
"""
