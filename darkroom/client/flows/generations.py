"""Generations: asked for, looked at, listed, ended, made again, and their pictures brought home."""

import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darkroom.client.errors import UnexpectedAnswer
from darkroom.client.fields import RerunSeed
from darkroom.client.flows.places import place_in
from darkroom.client.flows.sending import answered, document
from darkroom.client.flows.uploading import with_named_pictures
from darkroom.client.steps import Flow, Request, Tell, Write
from darkroom.contract.document import Generation
from darkroom.contract.listing import GenerationPage

PAGE = 100
GENERATIONS = "/api/v1/generations"


def submitted(fields: Mapping[str, Any], key: str | None, retries: int) -> Flow[Generation]:
    """Pictures are uploaded and named. With one `key`, however often it is asked, there is one job."""
    asked = yield from with_named_pictures(fields, retries)
    return (yield from document(_once(GENERATIONS, asked, key), Generation, retries))


def rerun(generation_id: str, seed: RerunSeed, key: str | None, retries: int) -> Flow[Generation]:
    path, asked = f"{place_in(GENERATIONS, generation_id)}/rerun", {} if seed is None else {"seed": seed}
    return (yield from document(_once(path, asked, key), Generation, retries))


def _once(path: str, asked: Mapping[str, Any], key: str | None) -> Request:
    return Request("POST", path, json=asked, headers={"Idempotency-Key": key or str(uuid.uuid4())})


def looked_up(generation_id: str, retries: int) -> Flow[Generation]:
    return document(Request("GET", place_in(GENERATIONS, generation_id)), Generation, retries)


def canceled(generation_id: str, retries: int) -> Flow[Generation]:
    return document(Request("DELETE", place_in(GENERATIONS, generation_id)), Generation, retries)


def listed(failure: str | None, retries: int) -> Flow[None]:
    """Tells each, newest first, page by page as they are wanted."""
    params: dict[str, Any] = {"limit": PAGE} | ({} if failure is None else {"failure": failure})
    while True:
        page = yield from document(Request("GET", GENERATIONS, params=params), GenerationPage, retries)
        for generation in page.generations:
            yield Tell(generation)
        if page.cursor is None:
            return
        params = {**params, "cursor": page.cursor}


def picture(of: Generation | str, index: int, retries: int) -> Flow[bytes]:
    """The bytes of one picture: by its generation's record, those that it names.

    Raises: NotFound; UnexpectedAnswer where on the way they became others.
    """
    generation_id = of if isinstance(of, str) else of.id
    answer = yield from answered(Request("GET", f"{place_in(GENERATIONS, generation_id)}/images/{index}"), retries)
    if isinstance(of, Generation) and index < len(of.images):
        expected, found = of.images[index].sha256, hashlib.sha256(answer.body).hexdigest()
        if found != expected:
            raise UnexpectedAnswer(f"picture {index} of {generation_id} is not the one of its record", answer.status)
    return answer.body


def preview(generation_id: str, index: int, retries: int) -> Flow[bytes]:
    """Its latest sketch, a JPEG. Raises: NotFound while there is none, and once the picture is there."""
    answer = yield from answered(Request("GET", f"{place_in(GENERATIONS, generation_id)}/previews/{index}"), retries)
    return answer.body


def saved(generation: Generation, output: Path, retries: int) -> Flow[list[Path]]:
    """Every picture under `output`, numbered when there are several."""
    paths: list[Path] = []
    for index in range(len(generation.images)):
        path = output if len(generation.images) == 1 else output.with_stem(f"{output.stem}-{index}")
        yield Write(path, (yield from picture(generation, index, retries)))
        paths.append(path)
    return paths
