"""Mail that comes in: kept as raw bytes first, read in a limited child, then put where it belongs.

Nothing is imported here: the child that reads a mail loads as little as possible.
"""
