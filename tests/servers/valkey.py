"""Fixtures: a real Valkey on loopback."""
