"""What was written down and announced, by its kinds."""

from tenants.tickets import queries


def lines(ticket):
    return [line.kind for line in queries.list_history(ticket.id)]


def names(heard):
    return [type(event).__name__ for event in heard]
