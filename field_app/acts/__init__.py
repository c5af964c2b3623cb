"""What a person does on the tablet, one function an act, used by the window and the command line alike.

An act takes the store, says what was done as operations, and returns what the caller needs next (an id or a state).
No window, no network; time is an argument (`now`, aware). Every act may raise NotSaved and StorageFull: then nothing
was written and what was typed stays with the caller.
"""
