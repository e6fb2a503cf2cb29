"""Fixtures: a real S3 server on loopback."""
