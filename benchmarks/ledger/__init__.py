"""What the ledger costs its server, measured at the server."""
