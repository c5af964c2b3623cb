"""What is lawful and what happened: no framework, no clock, no network, no database."""
