"""What crosses a process: plain frozen models, JSON in and JSON out."""
