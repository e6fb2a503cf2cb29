"""The page that explains every code, from one source: as Markdown, as HTML, and as JSON for programs."""

import base64
import hashlib
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict
from html import escape

from api.problems import DOCUMENTATION, MEDIA_TYPE
from darkroom.errors.explained import Explained, explained

INTRODUCTION = f"""
Every error is `{MEDIA_TYPE}` (RFC 9457) with a stable `code`: match on it, never on the words of `detail`. `type` leads
to this page, relative to the service that answered (`{DOCUMENTATION}#code`), so that an error has the same name behind
every address. `field` names the part of the request that is wrong, `errors` each of several. A `retryable` error may
succeed later without a change; where it can, `Retry-After` says when. The dialects of other services say the same in
the form that their own clients read.
"""
GROUPS = {
    "gateway": ("From the gateway", "Requests are answered with these."),
    "generation": (
        "In a generation that failed",
        """
`failure.code` of a generation whose `state` is `failed`. The request that asks for such a generation, or waited for it,
is answered with 200: the generation was found, and tells how it ended. The status below is therefore none that is
answered, but for `model_error`, `missing_weights` and `broken_weights`, which also refuse a request for the model at
once, and in dialects, whose clients wait for a picture and nothing else.
""",
    ),
    "dialects": ("From a dialect that waits", "The native API does not answer so: there, it is a `state`."),
    "processes": ("Between processes", "Callers do not meet these; they stand in logs."),
}

_STYLE = """
:root { color-scheme: light dark; --edge: #8884; --quiet: #666; }
@media (prefers-color-scheme: dark) { :root { --quiet: #aaa; } }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 6rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 3rem; } h3 { margin: 0 0 .25rem; font-size: 1.1rem; }
section { border-top: 1px solid var(--edge); padding: 1.25rem .75rem; margin: 0 -.75rem; scroll-margin-top: 1rem; }
section:target { outline: 2px solid Highlight; border-radius: .5rem; }
h3 a { color: inherit; text-decoration: none; } h3 a:hover, h3 a:focus { text-decoration: underline; }
p { margin: .5rem 0; } .facts { color: var(--quiet); margin: 0; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--edge); border-radius: .5rem; white-space: pre-wrap; }
nav ul { columns: 14rem; padding-left: 1rem; }
"""
STYLE_POLICY = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"

_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>darkroom: errors</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Errors</h1>
<p>{introduction}</p>
{groups}
</main>
</body>
</html>
"""
_CODE = re.compile(r"`([^`]+)`")


def as_markdown() -> str:
    groups = "\n".join(_group(group, _markdown_group) for group in GROUPS)
    return f"# Errors\n\n{_filled(INTRODUCTION)}\n\n{groups}"


def as_html() -> str:
    groups = "\n".join(_group(group, _html_group) for group in GROUPS)
    return _HTML.format(style=_STYLE, introduction=_inline(INTRODUCTION), groups=groups)


def as_json() -> str:
    return json.dumps({"errors": [asdict(error) for error in explained()]}, ensure_ascii=False)


def _group(name: str, render: Callable[[str, str, list[Explained]], Iterator[str]]) -> str:
    title, words = GROUPS[name]
    return "\n".join(render(title, words, [error for error in explained() if error.group == name]))


def _facts(error: Explained) -> str:
    return f"Status {error.status}, {'may succeed later unchanged' if error.retryable else 'final'}."


def _example(error: Explained) -> str:
    """The request, if there is one, and what is said of it."""
    return f"{error.request.strip()}\n\n{error.status}: {error.says}" if error.request else error.says


def _markdown_group(title: str, words: str, errors: list[Explained]) -> Iterator[str]:
    yield f"## {title}\n\n{_filled(words)}\n\n| code | status | retryable |\n|---|---|---|"
    yield from (f"| `{e.code}` | {e.status} | {'yes' if e.retryable else 'no'} |" for e in errors)
    yield ""
    for error in errors:
        yield f"### `{error.code}`\n\n{_filled(f'{_facts(error)} {error.cause}')}\n"
        if error.says:
            yield f"```text\n{_example(error)}\n```\n"
        yield _filled(f"**What helps.** {error.remedy}") + "\n"


def _html_group(title: str, words: str, errors: list[Explained]) -> Iterator[str]:
    yield f"<h2>{escape(title)}</h2>\n<p>{_inline(words)}</p>"
    links = "".join(f'<li><a href="#{e.code}"><code>{e.code}</code></a></li>' for e in errors)
    yield f'<nav aria-label="{escape(title)}"><ul>{links}</ul></nav>'
    for error in errors:
        yield f'<section id="{error.code}">\n<h3><a href="#{error.code}"><code>{error.code}</code></a></h3>'
        yield f'<p class="facts">{_facts(error)}</p>\n<p>{_inline(error.cause)}</p>'
        if error.says:
            yield f"<pre>{escape(_example(error))}</pre>"
        yield f"<p><strong>What helps.</strong> {_inline(error.remedy)}</p>\n</section>"


def _filled(text: str) -> str:
    return textwrap.fill(text.strip(), 120, break_long_words=False, break_on_hyphens=False)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))
