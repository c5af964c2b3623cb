"""What a tablet keeps: the vault that holds its key, the encrypted store, the append-only copy beside it."""
