"""Measurements of this project against the limits of the machine they run on. Run: python -m benchmarks.run"""
