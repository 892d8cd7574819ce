"""Fixtures of these tests."""

from tests.clockwork import desk

__all__ = ["desk"]
