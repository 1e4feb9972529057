"""The speed suite: `python -m benchmarks.speed`, or `python -m pytest benchmarks/speed` alone.

Every figure is a median of repetitions and stands beside a description of the machine, since it holds
for that machine only; ratios come from one run and travel better.
"""
