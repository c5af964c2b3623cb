"""Visits: ordered from an approved request, a group formed, conflicts declared, a mandate issued, an officer assigned."""
