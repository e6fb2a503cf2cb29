"""Networks that look at pictures, off the engine's thread."""
