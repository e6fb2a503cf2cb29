"""The worker: a supervisor, and its child that holds the models."""
