"""Measured claims. Each module runs by itself, prints a table, and ends with one line of JSON."""
