"""The SLA clock: its rulings, its properties and its oracles."""
