"""`darkroom worker`: a supervisor and its child that holds the models."""


def worker() -> None:
    """Run a worker: generates, marks, signs and stores."""
    from darkroom.cli.sibling import sibling
    from darkroom.services.configuration import load_settings

    with sibling("worker"):
        from worker.main import main
    raise SystemExit(main(load_settings()))
