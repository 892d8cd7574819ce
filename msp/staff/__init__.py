"""The provider's people at work: what they can, when they are on duty, and who is best for a ticket."""
