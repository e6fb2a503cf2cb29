"""What is asked of a gateway and what becomes of its answers, as generators of steps: no I/O, no clock but to wait."""
