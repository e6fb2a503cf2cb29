"""`darkroom verify`: where pictures come from, as far as that can be proven."""

import asyncio
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from darkroom.cli import gateway
from darkroom.cli.console import CommandFailed, complain, on_stderr, on_stdout, print_json, printable
from darkroom.cli.gateway import DEFAULT_URL, ApiKey
from darkroom.errors import DarkroomError

if TYPE_CHECKING:
    from darkroom.contract.document import Generation
    from darkroom.contract.verdict import SignerSeen, Verdict

FAILED = 1
NOT_INTACT = 3
_COLUMNS = 80
_INDENT = "  "
_LABEL = 11  # columns before what a line tells
MaybeUrl = Annotated[
    str | None,
    typer.Option(
        envvar="DARKROOM_URL", help="The gateway. Left out: the one on this machine, else this machine's own records."
    ),
]


def verify(
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE", help="Files, or URLs that the gateway fetches.")],
    url: MaybeUrl = None,
    api_key: ApiKey = None,
    local: Annotated[bool, typer.Option("--local", help="Ask no gateway; use this machine's own records.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a picture, a line each.")] = False,
) -> None:
    """Say where pictures come from, as far as is provable.

    By their credentials, their watermarks, and the records that those lead to.

    The exit code is 0 when all of them are intact, 3 when there is any other verdict, and 1 when one of them could not
    be looked at; the others are looked at all the same.
    """
    from darkroom.client import ClientError, GatewayAway

    witness, codes = Witness(url, api_key, local=local), set()
    for picture in pictures:
        try:
            verdict = witness.asked(picture)
        except GatewayAway:
            raise
        except (CommandFailed, ClientError, DarkroomError, OSError) as error:
            _tell_failure(picture, getattr(error, "strerror", None) or str(error), as_json=as_json)
            codes.add(FAILED)
        else:
            _tell(picture, verdict, as_json=as_json)
            codes.add(0 if verdict.state == "intact" else NOT_INTACT)
    if code := FAILED if FAILED in codes else max(codes):
        raise typer.Exit(code)


class Witness:
    """Whoever answers: a gateway, or this machine where nobody named one and none is there."""

    def __init__(self, url: str | None, api_key: str | None, *, local: bool) -> None:
        self._url = url
        self._api_key = api_key
        self._local = local

    def asked(self, picture: str) -> "Verdict":
        """What is said of a file or a URL.

        Raises: GatewayAway for one that was named and does not answer; CommandFailed, Refused, BadPicture; OSError.
        """
        from darkroom.client import GatewayAway

        if picture.startswith(("http://", "https://")):
            return self._of_url(picture)
        data = Path(picture).read_bytes()
        if not self._local:
            try:
                # A gateway that nobody named is asked whether it is there, not waited for.
                with gateway.connect(self._url or DEFAULT_URL, self._api_key, retries=0) as client:
                    return client.verify(data)
            except GatewayAway:
                if self._url is not None:
                    raise
            self._fall_back()
        return _verify_here(data)

    def generation(self, job_id: str) -> "Generation | None":
        """The record of a generation, if there is a gateway and it has it for us. Raises: GatewayAway."""
        from darkroom.client import NotAllowed, NotFound

        if self._local:
            return None
        try:
            with gateway.connect(self._url or DEFAULT_URL, self._api_key) as client:
                return client.get(job_id)
        except (NotFound, NotAllowed):
            return None

    def _of_url(self, picture: str) -> "Verdict":
        if self._local:
            raise CommandFailed("only a gateway fetches URLs")
        with gateway.connect(self._url or DEFAULT_URL, self._api_key) as client:
            return client.verify(picture)

    def _fall_back(self) -> None:
        self._local = True
        words = f"no gateway answers at {DEFAULT_URL}: answering from this machine's own records"
        on_stderr().print(words, markup=False)


def _tell(picture: str, verdict: "Verdict", *, as_json: bool) -> None:
    if as_json:
        print_json({"picture": picture, **verdict.model_dump(mode="json")})
        return
    console = on_stdout()
    console.print(f"{picture}: ", end="", markup=False)
    console.print(verdict.state, style="bold")
    for line in words_of(verdict):
        console.print(_fitted(line) if console.is_terminal else _INDENT + line, markup=False)


def _tell_failure(picture: str, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"picture": picture, "error": words})
    else:
        complain(f"{picture}: {words}")


def _fitted(line: str) -> str:
    """For eyes; what goes into a pipe keeps its lines whole."""
    labelled = line[_LABEL - 2 : _LABEL] == "  " and line[_LABEL : _LABEL + 1].strip()
    under = _INDENT + " " * (_LABEL if labelled else 0)
    wrapped = textwrap.TextWrapper(_COLUMNS, _INDENT, under, break_long_words=False, break_on_hyphens=False)
    return wrapped.fill(line)


def words_of(verdict: "Verdict") -> list[str]:
    """The verdict's evidence, a line each; what was not found has no line."""
    lines = [verdict.text, *verdict.notes]
    if made := verdict.generation:
        lines.append(f"made by    {made.model}, seed {made.seed}, {made.width}x{made.height}")
        lines.append(f"made at    {made.created_at}")
    if owner := verdict.owner:
        lines.append(f"yours      generation {owner.job_id}, picture {owner.index}")
        lines += [f"parents    {' '.join(owner.parents)}"] if owner.parents else []
        lines += [f"prompt     {printable(owner.prompt)}"] if owner.prompt else []
    if signer := verdict.signer:
        lines.append(f"signed by  {signer.common_name}, {standing_of(signer)}")
        lines += [f"signed at  {signer.signed_at.isoformat()}"] if signer.signed_at else []
    ids = {"manifest": verdict.manifest_id, "made from": verdict.derived_from, "watermark": verdict.watermark_id}
    return [*lines, *(f"{name:<9}  {value}" for name, value in ids.items() if value)]


def standing_of(signer: "SignerSeen") -> str:
    """Of a signer, in words."""
    if signer.development:
        return "a development certificate"
    return "trusted" if signer.trusted else "not trusted here"


def _verify_here(data: bytes) -> "Verdict":
    """The same verdict from the settings' own store, without a gateway. Makes no key and no folder."""
    return asyncio.run(_ask_own_verifier(data))


async def _ask_own_verifier(data: bytes) -> "Verdict":
    from darkroom.services import onlooking_verifier
    from darkroom.services.configuration import load_settings

    async with onlooking_verifier(load_settings()) as verifier:
        return await verifier.verify(data)
