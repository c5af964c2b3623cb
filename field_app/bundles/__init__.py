"""Exchange without a network: a tablet's bundles, written to a file and read from one."""
