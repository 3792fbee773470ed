"""Measure load and cost as ratios within one run on one machine: `python -m bench`, or `make
bench`.
"""
