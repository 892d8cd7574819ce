"""How we keep what we promised: the web, the workers and the wiring."""
