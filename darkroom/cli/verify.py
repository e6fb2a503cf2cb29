"""`darkroom verify`: where pictures come from, as far as that can be proven."""

import asyncio
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkroom.cli.console import CommandFailed, complain, on_stderr, on_stdout
from darkroom.cli.generate import DEFAULT_URL, ApiKey
from darkroom.errors import DarkroomError, UnavailableError

if TYPE_CHECKING:
    from darkroom.cli.client import Client

FAILED = 1
NOT_INTACT = 3
_COLUMNS = 80
_INDENT = "  "
_LABEL = 11  # columns before what a line tells
Answer = dict[str, Any]
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
    """Say what is provable about pictures: their credentials, their watermarks, and the records they lead to.

    The exit code is 0 when all of them are intact, 3 when there is any other verdict, and 1 when one of them could not
    be looked at; the others are looked at all the same.
    """
    witness, codes = _Witness(url, api_key, local=local), set()
    for picture in pictures:
        try:
            verdict = witness.asked(picture)
        except UnavailableError:
            raise
        except (CommandFailed, DarkroomError, OSError) as error:
            _tell_failure(picture, getattr(error, "strerror", None) or str(error), as_json=as_json)
            codes.add(FAILED)
        else:
            _tell(picture, verdict, as_json=as_json)
            codes.add(0 if verdict["state"] == "intact" else NOT_INTACT)
    if code := FAILED if FAILED in codes else max(codes):
        raise typer.Exit(code)


class _Witness:
    """Whoever answers: a gateway, or this machine where nobody named one and none is there."""

    def __init__(self, url: str | None, api_key: str | None, *, local: bool) -> None:
        self._url = url
        self._api_key = api_key
        self._local = local

    def asked(self, picture: str) -> Answer:
        """What is said of a file or a URL.

        Raises: UnavailableError for a gateway that was named and does not answer; CommandFailed, BadPicture; OSError.
        """
        if picture.startswith(("http://", "https://")):
            return self._of_url(picture)
        data = Path(picture).read_bytes()
        if not self._local:
            try:
                with self._client() as client:
                    return client.verify(data)
            except UnavailableError:
                if self._url is not None:
                    raise
            self._fall_back()
        return _verify_here(data)

    def _of_url(self, picture: str) -> Answer:
        if self._local:
            raise CommandFailed("only a gateway fetches URLs")
        with self._client() as client:
            return client.verify_url(picture)

    def _client(self) -> "Client":
        from darkroom.cli.client import Client

        return Client(self._url or DEFAULT_URL, self._api_key)

    def _fall_back(self) -> None:
        self._local = True
        words = f"no gateway answers at {DEFAULT_URL}: answering from this machine's own records"
        on_stderr().print(words, markup=False)


def _tell(picture: str, verdict: Answer, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"picture": picture, **verdict}))
        return
    console = on_stdout()
    console.print(f"{picture}: ", end="", markup=False)
    console.print(verdict["state"], style="bold")
    for line in words_of(verdict):
        console.print(_fitted(line) if console.is_terminal else _INDENT + line, markup=False)


def _tell_failure(picture: str, words: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"picture": picture, "error": words}))
    else:
        complain(f"{picture}: {words}")


def _fitted(line: str) -> str:
    """For eyes; what goes into a pipe keeps its lines whole."""
    labelled = line[_LABEL - 2 : _LABEL] == "  " and line[_LABEL : _LABEL + 1].strip()
    under = _INDENT + " " * (_LABEL if labelled else 0)
    wrapped = textwrap.TextWrapper(_COLUMNS, _INDENT, under, break_long_words=False, break_on_hyphens=False)
    return wrapped.fill(line)


def words_of(verdict: Answer) -> list[str]:
    """The verdict's evidence, a line each; what was not found has no line."""
    lines = [verdict["text"], *verdict.get("notes", ())]
    if made := verdict.get("generation"):
        lines.append(f"made by    {made['model']}, seed {made['seed']}, {made['width']}x{made['height']}")
        lines.append(f"made at    {made['created_at']}")
    if owner := verdict.get("owner"):
        lines.append(f"yours      generation {owner['job_id']}, picture {owner['index']}")
        lines += [f"parents    {' '.join(owner['parents'])}"] if owner.get("parents") else []
        lines += [f"prompt     {_printable(owner['prompt'])}"] if owner.get("prompt") else []
    if signer := verdict.get("signer"):
        lines.append(f"signed by  {signer['common_name']}, {_standing(signer)}")
        lines += [f"signed at  {signer['signed_at']}"] if signer.get("signed_at") else []
    for name, field in (("manifest", "manifest_id"), ("made from", "derived_from"), ("watermark", "watermark_id")):
        if verdict.get(field):
            lines.append(f"{name:<9}  {verdict[field]}")
    return lines


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _standing(signer: Answer) -> str:
    if signer["development"]:
        return "a development certificate"
    return "trusted" if signer["trusted"] else "not trusted here"


def _verify_here(data: bytes) -> Answer:
    """The same verdict from the settings' own store, without a gateway. Makes no key and no folder."""
    return asyncio.run(_ask_own_verifier(data))


async def _ask_own_verifier(data: bytes) -> Answer:
    from darkroom.services import onlooking_verifier
    from darkroom.services.configuration import load_settings

    async with onlooking_verifier(load_settings()) as verifier:
        verdict = await verifier.verify(data)
    answer: Answer = verdict.model_dump(mode="json")
    return answer
