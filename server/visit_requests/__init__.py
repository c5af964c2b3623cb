"""Requests for a visit and the Council's votes on them: put to the vote, counted, decided, undone in time."""
