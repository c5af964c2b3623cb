"""Checklists at the office: workbooks are taken in, checked and compiled here; `shared.checklists` evaluates them."""
