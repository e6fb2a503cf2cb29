"""Rows of credentials that were made to hurt, or are odd: what they are, and what verify may say of them."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import c2pa

from darkroom.provenance import SigningIdentity, Trust
from darkroom.provenance.policy import source_type
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.making import encoded, shapes

Bytes = Callable[[], bytes]
UNTRUSTED: Final = "intact_untrusted_signer"
CREATED: Final = {"action": "c2pa.created", "digitalSourceType": source_type("text_to_image")}
ACTIONS: Final = {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [CREATED]}}


@cache
def stranger() -> SigningIdentity:
    return Authority("A Stranger's Authority").signer("A Stranger")


def signed(*assertions: Any, ingredients: tuple[bytes, ...] = (), elsewhere: str | None = None) -> bytes:
    """A picture with a valid credential of nobody we trust."""
    who, out = stranger(), io.BytesIO()
    info = c2pa.C2paSignerInfo(who.algorithm, who.chain_pem.encode(), who.key_pem.encode(), None)
    said = {"format": "image/png", "assertions": [ACTIONS, *assertions]}
    said["claim_generator_info"] = [{"name": "Somebody", "version": "1"}]
    with c2pa.Builder(said, context=Trust.of(who.anchor_pem).context()) as builder:
        for ingredient in ingredients:
            about = json.dumps({"title": "i", "relationship": "componentOf"})
            builder.add_ingredient(about, "image/png", io.BytesIO(ingredient))
        if elsewhere:
            builder.set_no_embed()
            builder.set_remote_url(elsewhere)
        builder.sign(c2pa.Signer.from_info(info), "image/png", io.BytesIO(encoded(shapes(96, 96))), out)
    return out.getvalue()


def of_others(count: int) -> bytes:
    return signed(ingredients=(encoded(shapes(16, 16)),) * count)


def of_signed_others(count: int) -> bytes:
    return signed(ingredients=tuple(signed({"label": "org.n", "data": {"n": n}}) for n in range(count)))


def generations(depth: int) -> bytes:
    """A picture of a picture of a picture."""
    data = signed()
    for _ in range(depth):
        data = signed(ingredients=(data,))
    return data


def long_words(size: int) -> bytes:
    """In pieces: c2pa writes no more than so much at once."""
    piece = 400_000
    told = {"label": "org.long", "data": {"text": "x" * piece}}
    return signed(ingredients=tuple(signed({**told, "label": f"org.long.{n}"}) for n in range(size // piece)))


def many_words(count: int) -> bytes:
    return signed(*({"label": f"org.many.{n}", "data": {"n": n}} for n in range(count)))


def nested(depth: int) -> bytes:
    data: Any = 1
    for _ in range(depth):
        data = {"a": data}
    return signed({"label": "org.nested", "data": data})


def boxed(store: bytes) -> bytes:
    """A picture with these bytes in the place of a manifest store."""
    data = encoded(shapes(96, 96))
    chunk = struct.pack(">I", len(store)) + b"caBX" + store + struct.pack(">I", zlib.crc32(b"caBX" + store))
    return data[:33] + chunk + data[33:]


def box(body: bytes, length: int | None = None, kind: bytes = b"jumb") -> bytes:
    return struct.pack(">I", 8 + len(body) if length is None else length) + kind + body


def boxes(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = box(data)
    return data


def polyglot() -> bytes:
    """A picture to us, an archive to others."""
    return encoded(shapes(96, 96)) + b"PK\x05\x06" + bytes(18)


def two_stores() -> bytes:
    data = signed()
    begin = data.index(b"caBX") - 4
    chunk = data[begin : begin + 12 + struct.unpack(">I", data[begin : begin + 4])[0]]
    return data[:begin] + chunk + data[begin:]


ROWS: Final[dict[str, tuple[Bytes, tuple[str, ...]]]] = {
    "a stranger's": (signed, (UNTRUSTED,)),
    "two hundred ingredients": (lambda: of_others(200), (UNTRUSTED,)),
    "forty signed ingredients": (lambda: of_signed_others(40), (UNTRUSTED,)),
    "twelve generations": (lambda: generations(12), (UNTRUSTED,)),
    "eight megabytes of words": (lambda: long_words(8_000_000), (UNTRUSTED,)),
    "five hundred assertions": (lambda: many_words(500), (UNTRUSTED,)),
    "words nested sixty deep": (lambda: nested(60), (UNTRUSTED, "modified")),
    "two stores": (two_stores, ("modified",)),
    "a store that lies elsewhere": (lambda: signed(elsewhere="http://127.0.0.1:1/m.c2pa"), ("no_evidence",)),
    "ten thousand boxes in each other": (lambda: boxed(boxes(10_000)), ("modified", "bad_picture")),
    "a box longer than the file": (lambda: boxed(box(b"x", 2**31)), ("modified",)),
    "a box of no length": (lambda: boxed(box(b"x", 1)), ("modified",)),
    "thirty megabytes of nothing": (lambda: boxed(box(bytes(30_000_000))), ("modified", "bad_picture")),
    "an archive behind the picture": (polyglot, ("no_evidence",)),
}
