"""Visits: ordered from an approved request, group formed, conflicts declared, mandate issued, officer assigned."""
