"""Training classes: proposed by what clients ask again and again, planned, held, and judged by what comes after."""
