"""Checklists: what a monitor is asked, when, and what follows from the answers.

`definition` is the compiled checklist as it travels, `expression` and `functions` its small language, `form` the
checklist made ready with every reference resolved, `evaluate` the answers put through it, `progress` the counts shown
on the tablet. Nothing here reads a spreadsheet, a clock or a file; the office compiles, both sides evaluate.
"""
