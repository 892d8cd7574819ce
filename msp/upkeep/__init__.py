"""Upkeep: plans of hands-on maintenance that become tickets, policies that propose campaigns, and the calendar."""
