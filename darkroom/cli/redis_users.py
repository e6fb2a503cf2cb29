"""`darkroom redis-users`: a user of Redis for each role, with a password of its own."""

from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli.console import CommandFailed


def redis_users(
    file: Annotated[Path, typer.Argument(help="Where to write the users; must not exist.")] = Path("users.acl"),
) -> None:
    """Make users of Redis with no more rights than each needs.

    One for the gateway, one for workers, one for couriers.

    Their passwords are shown once here; the file holds their SHA-256. Keys begin with DARKROOM_KEY_PREFIX.
    """
    from darkroom.provenance.private_files import write_private
    from darkroom.services.redis_users import ROLES, acl_file, fresh_passwords
    from darkroom.settings import Settings

    if file.exists():
        raise CommandFailed(f"{file} is there already: whoever uses its passwords would be locked out")
    passwords = fresh_passwords()
    write_private(file, acl_file(Settings().key_prefix, passwords).encode())
    typer.echo(f"{'file':9} {file}, for Redis as `aclfile`")
    for user, password in passwords.items():
        use = f"DARKROOM_REDIS_URL=redis://{user}:{password}@HOST:6379/0" if user in ROLES else password
        typer.echo(f"{user:9} {use}")
