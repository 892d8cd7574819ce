"""The SLA clock: business-time arithmetic and verdicts as pure functions.

Nothing in here reads the time, a database or a request. The rules R1 to R22 that the docstrings cite are
numbered in `contracts/README.md`.
"""
