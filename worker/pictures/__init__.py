"""Inputs as pixels: what a generation begins with, and how what it made is laid over what must stay. No torch."""
