"""The secret that one machine keeps for its own webhooks."""

from pathlib import Path

import pytest

from darkroom.cli.config import as_environment
from darkroom.errors import ConfigurationError
from darkroom.services.webhook_secrets import fresh_secret, with_kept_secret
from darkroom.settings import Settings
from tests.receiver import SECRET


def secrets_of(settings: Settings) -> dict[str, list[str]]:
    return {tenant: [one.get_secret_value() for one in given] for tenant, given in settings.webhook_secrets.items()}


def test_one_machine_makes_a_secret_once_and_keeps_it_to_itself(tmp_path: Path) -> None:
    first, again = (secrets_of(with_kept_secret(Settings(home=tmp_path))) for _ in range(2))
    assert first == again == {"local": [(tmp_path / "webhook.secret").read_text()]}
    assert (tmp_path / "webhook.secret").stat().st_mode & 0o777 == 0o600


def test_what_somebody_has_set_is_not_added_to(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, webhook_secrets={"studio": [fresh_secret()]})
    assert with_kept_secret(settings) is settings
    assert not (tmp_path / "webhook.secret").exists()


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with_kept_secret(Settings(home=tmp_path))
    (tmp_path / "webhook.secret").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        with_kept_secret(Settings(home=tmp_path))


def test_a_file_that_holds_no_secret_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "webhook.secret").write_text("whsec_short")
    (tmp_path / "webhook.secret").chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"webhook\.secret") as refused:
        with_kept_secret(Settings(home=tmp_path))
    assert "whsec_short" not in str(refused.value)


def test_settings_show_no_secret_but_to_children(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, webhook_secrets={"studio": [SECRET]})
    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()
    assert SECRET in as_environment(settings)["DARKROOM_WEBHOOK_SECRETS"]
