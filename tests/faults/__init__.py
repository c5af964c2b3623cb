"""Faults of processes and disks, real ones: kills, lost power, a full disk, input and output errors, damaged bytes.

`yard` is a process behind `shim.c`, forking a child for each act; `disk` works out what a disk may hold after the power
went; `tablet_acts` and `office_acts` are what is done while things break, and what must hold afterwards.
"""
