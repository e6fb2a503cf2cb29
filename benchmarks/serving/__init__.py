"""A day of requests, three ways to serve it, and a clock on which waiting costs nothing."""
