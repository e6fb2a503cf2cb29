"""The predictions API of Replicate: jobs to ask for, to wait for, to follow and to be told of."""
