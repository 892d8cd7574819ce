"""The pages of knowledge; each module puts its views on the one blueprint."""

from msp.knowledge.blueprint import bp

__all__ = ["bp"]
