"""Ciphertexts of photos and recordings: taken in piece by piece, found by their hash, never opened here."""
