"""Seeded trials: one file a trial, the same in `make test` (a few seeds) and `make campaign` (the size of a release).

A trial is a function of a seed and a ground to stand on; it raises when an invariant breaks. `campaign` runs many
seeds, goes on where it stopped and writes what it reached; `test_trials` runs the first seeds of each.
Source: SECURITY part C.
"""
