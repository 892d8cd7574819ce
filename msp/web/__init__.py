"""Mechanics of HTTP: who may enter, headers, pages of lists, formats. Knows no feature."""
