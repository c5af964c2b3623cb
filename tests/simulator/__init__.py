"""The real tablets and the real office in one process, under schedules of acts and faults drawn from a seed."""
