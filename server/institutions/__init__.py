"""The register of institutions at the office: taken in from CSV, searched, published to tablets."""
