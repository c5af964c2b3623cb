"""The law as dated data: rules.toml and how it is read (`law`), holidays.toml, sources.toml."""
