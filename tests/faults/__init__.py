"""Faults between downpour and its clouds: a proxy that plays them, and an oracle that looks after.

See README.md beside this file.  ``python -m tests.faults`` is ``make faults``.
"""
