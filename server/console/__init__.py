"""The console: what all pages share. No business word in it."""
