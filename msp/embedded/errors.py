"""What can go wrong, in words for whoever typed `make demo`."""


class EmbeddedError(Exception):
    """A server could not be found, prepared or started."""


class InUse(EmbeddedError):
    """Another living process already runs a server on this data folder."""
