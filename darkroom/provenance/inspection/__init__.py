"""What a file shows by itself, found out in a process that may be lost."""
