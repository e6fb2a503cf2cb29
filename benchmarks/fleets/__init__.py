"""A fleet that nobody has: what its day would ask of one ledger."""
