"""When changes may be made at a client: windows as recurrence rules in its zone, and freezes that beat them."""
