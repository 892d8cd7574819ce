"""Tests of what we promised."""
