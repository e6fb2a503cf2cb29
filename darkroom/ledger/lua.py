"""The scripts as Redis gets them: the rules and the table of moves written in front, so that neither exists twice."""

from dataclasses import asdict
from importlib.resources import files

from darkroom.ledger.pace import MOST, SHARE
from darkroom.ledger.rules import EXHAUSTED, LEASE_LOST, Rules
from darkroom.ledger.transitions import TRANSITIONS
from darkroom.ledger.untold import UNTOLD

SCRIPTS = (
    "submit",
    "replay",
    "claim",
    "renew",
    "report",
    "show_preview",
    "finish",
    "release",
    "cancel",
    "foresee",
    "abandon",
    "attend",
    "serving",
    "workloads",
    "reap",
    "take_leftovers",
    "leftovers_done",
    "spend",
    "prefer",
)

DELIVERY_SCRIPTS = (
    "take_deliveries",
    "seal_delivery",
    "note_attempt",
    "drop_delivery",
    "list_deliveries",
    "replay_deliveries",
    "backlog",
)

# What stands in front of all scripts.
LIBRARY = ("lib", "fairness", "outbox", "places", "outlook")

LuaValue = str | int | float | dict[str, "LuaValue"]


def source(name: str) -> str:
    """The text of `scripts/<name>.lua`."""
    return files("darkroom.ledger").joinpath("scripts", f"{name}.lua").read_text("utf-8")


def preamble(rules: Rules) -> str:
    """The Lua constants RULES, TRANSITIONS ("state move" -> state and event), UNTOLD (move -> code), EXHAUSTED (a
    failure), LEASE_LOST and PACE."""
    moves: dict[str, LuaValue] = {
        f"{state.value} {move.value}": {"state": step.state.value, "event": step.event}
        for (state, move), step in TRANSITIONS.items()
    }
    constants: dict[str, LuaValue] = {
        "RULES": asdict(rules),
        "TRANSITIONS": moves,
        "UNTOLD": {move.value: code for move, code in UNTOLD.items()},
        "EXHAUSTED": EXHAUSTED.model_dump(),
        "LEASE_LOST": LEASE_LOST,
        "PACE": {"share": SHARE, "most": MOST},
    }
    return "".join(f"local {name} = {literal(value)}\n" for name, value in constants.items())


def script(name: str, rules: Rules, clock: str) -> str:
    """The whole script `name`; `clock` is Lua that defines `now_ms()`."""
    return "\n".join((preamble(rules), clock, *map(source, LIBRARY), source(name)))


def literal(value: LuaValue) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{literal(name)}] = {literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)
