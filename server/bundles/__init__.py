"""Exchange without a network: bundles of tablets taken in at the office, and bundles made for them."""
