"""What a group observed on a visit: the common record, private interviews, a member's own notebook."""
