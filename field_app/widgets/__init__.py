"""The tablet's own controls, drawn by plain Kivy.

They are given data and functions, and know nothing of store or network.
"""
