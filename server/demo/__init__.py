"""The story `qorgan demo` plays: a small office, real tablets in processes of their own, a network that fails.

Every act goes through what people use: the console's pages in a browser, the tablet's window and command line, the
commands of the office. Nothing here answers in the product's place.
"""
