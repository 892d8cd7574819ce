"""A small fictional world, the same on every machine: written through the services, at times that lie in the past."""

from msp.demo.seed.world import plant

__all__ = ["plant"]
