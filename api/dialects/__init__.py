"""Protocols of others that the gateway speaks: each a package of pure adapters and the routes over them.

An adapter is `body -> GenerationRequest` and `Job -> body`: functions of values, that reach neither ledger nor store.
`making` submits and waits, for all of them; `mount` says which there are.
"""
