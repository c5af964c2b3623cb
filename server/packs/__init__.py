"""Whole files for tablets: register, checklists, standards, rules, calendar, each named by its SHA-256."""
