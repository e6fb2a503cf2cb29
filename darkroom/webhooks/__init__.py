"""Telling receivers what became of their generations: signed, again and again until they have it, and never inwards."""
