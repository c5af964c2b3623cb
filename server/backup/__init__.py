"""Backups of the office and what comes back from them: consistent, sealed to a key that lies elsewhere, proven."""
