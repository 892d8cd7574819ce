"""Mechanics of background work: RQ as a doorbell, PostgreSQL as the truth. Knows no feature."""
