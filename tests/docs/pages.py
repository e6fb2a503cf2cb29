"""The repository's pages, as tests read them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(?P<language>\w*) ?(?P<note>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"not-run: (?P<reason>.+)")
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<words>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text. `note` is what follows the language, which readers are not shown."""

    language: str
    text: str
    note: str = ""

    @property
    def why_not_run(self) -> str | None:
        """The reason that its note gives."""
        found = NOT_RUN.fullmatch(self.note)
        return found["reason"] if found else None


def page(path: str) -> str:
    return (ROOT / path).read_text()


def blocks(path: str) -> list[Block]:
    return [Block(found["language"], found["text"], found["note"]) for found in FENCE.finditer(page(path))]


def anchors(path: Path) -> set[str]:
    """What may stand behind `#` in a link to the page: its headings, written as hosts of repositories write them."""
    prose = FENCE.sub("", path.read_text())
    words = [LINK.sub("]", found["words"]) for found in HEADING.finditer(prose)]
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in words}


def pages() -> list[Path]:
    """Every Markdown page of the repository."""
    return sorted(
        [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md"), *ROOT.glob("deploy/*.md")]
    )


def table_rows(path: str) -> list[tuple[str, ...]]:
    """The cells of every table row of a page, headings and rules left out, back-ticks taken off."""
    lines = [line for line in page(path).splitlines() if line.startswith("| `")]
    return [tuple(cell.strip().strip("`") for cell in line.strip("|").split(" | ")) for line in lines]
