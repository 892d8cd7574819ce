"""How a ticket's story is told and continued on pages: what the desk and the client's portal have in common."""
