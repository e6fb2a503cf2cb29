"""Networks of the real sizes with random weights, and what a device could do at best."""
