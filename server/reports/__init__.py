"""Reports: the office's review of each finding, the dossier of a visit, the report on paper."""
