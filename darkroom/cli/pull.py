"""`darkroom pull`: what the settings name by hub id -> this machine, so that no other command needs a network."""

import typer

from darkroom.cli.console import on_stderr, on_stdout


def pull() -> None:
    """Download what the settings name by hub id.

    Never anything but safetensors, ONNX, .json and .txt.
    """
    from darkroom.cli.choosing import NotDownloaded
    from darkroom.cli.downloads import configured, download
    from darkroom.services.configuration import load_settings

    failed = False
    for setting, name, wanted in configured(load_settings()):
        try:
            commit = download(setting, name, wanted)
            on_stdout().print(f"{setting} {name}: {wanted.repository} at {commit}", markup=False, soft_wrap=True)
        except NotDownloaded as error:
            failed = True
            on_stderr().print(f"{setting} {name}: {wanted}: {error}", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)
