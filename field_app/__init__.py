"""The tablet: offline store, sync, acts and window."""
