"""Paper: mandate and report as PDF in Kazakh and Russian."""
