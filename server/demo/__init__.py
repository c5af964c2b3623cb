"""The story `qorgan demo` plays: a small office, real tablets, a network that fails."""
