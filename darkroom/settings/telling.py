"""Settings as they are told to our own child processes."""

from typing import Any

from pydantic import SecretStr


def told(value: Any) -> Any:
    """As JSON has it, secrets in the clear: a child is to know them. Read again, it is the same setting."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {name: told(item) for name, item in value.items()}
        case tuple():
            return [told(item) for item in value]
        case None | bool() | int() | float():
            return value
    return str(value)
