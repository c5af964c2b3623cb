"""Guards of the product broken on purpose, one at a time: the schedules and tests that would catch each are named."""
