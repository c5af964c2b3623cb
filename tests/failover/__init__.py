"""A primary and a synchronous replica, and what tablets and servers see when the primary dies."""
