"""What a file shows by itself: the one place where bytes of strangers are parsed, in a process that may be lost."""
