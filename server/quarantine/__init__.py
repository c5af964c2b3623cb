"""Frames that were kept aside and tablets that were stopped: what people see of them and decide."""
