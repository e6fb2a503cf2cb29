"""The gateway: HTTP in front of the ledger. No torch here."""
