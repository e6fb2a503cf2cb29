"""The environment as a source of settings: one that cannot be read keeps no other from being looked at."""

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource


class Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """JSON, or else the text as it stands: whoever validates it names the setting, beside all others."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value
