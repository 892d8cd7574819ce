"""Knowledge: articles with versions in two languages, known errors, runbooks, and what came of each."""
