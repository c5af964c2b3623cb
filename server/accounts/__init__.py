"""People of the office: roles and terms, passphrases and sessions, tablets and their enrolment."""
