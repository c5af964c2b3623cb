"""What was observed: rows for lists and counts, and the record read with its words for the assigned officer."""
