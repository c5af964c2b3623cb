"""What the office does while things break, and what must hold of it afterwards. Each function is the whole of a child."""
