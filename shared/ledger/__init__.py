"""Operations, frames, seals, merge and the messages of sync: the part both sides and every verifier share.

PROTOCOL.md beside this file is the specification; vectors.json holds the test vectors.
"""
