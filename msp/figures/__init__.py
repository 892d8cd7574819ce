"""Figures of the desk: what was resolved and stayed so, when work comes in, what it is about, and what comes again."""
