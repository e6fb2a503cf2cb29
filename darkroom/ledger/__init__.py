"""The truth about every job: who waits, who holds a lease, what became of it."""
