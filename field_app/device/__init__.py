"""Ports to the machine: camera, key store, secure window, battery. Each has a desktop part that says what it is."""
