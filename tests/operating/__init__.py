"""Backups, restores and what they owe the tablets: disasters for trials, the administrator's drill, kills half-way."""
