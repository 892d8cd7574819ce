"""Addresses under which answers find back to what they are about."""

from tenants.tickets.vendor_models import VendorCase


def reply_address_for_case(case: VendorCase) -> str | None:
    """Where a vendor's answer goes; None while the portal receives no mail: it goes to the sender's own address."""
    return None
