"""Pictures that callers send to be worked on: read with suspicion, kept in one form, found again by their content."""
