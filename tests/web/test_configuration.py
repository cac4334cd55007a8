"""Settings come from the environment and have safe defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from web.configuration import InvalidConfiguration, from_environment


def test_without_any_setting_everything_is_kept_in_the_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    configuration = from_environment({})

    assert configuration.data_directory == tmp_path / "data"
    assert configuration.database_url == f"sqlite:///{tmp_path / 'data' / 'baton.sqlite'}"
    assert configuration.zone.key == "Asia/Shanghai"
    assert not configuration.clock_control
    assert not configuration.engine().clock_control
    assert configuration.engine().history_time_to_live is None
    assert configuration.archive_directory == tmp_path / "data" / "archive"


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    environment = {"BATON_DATA": str(tmp_path / "data")}

    first, second = from_environment(environment), from_environment(environment)

    assert len(first.secret_key) >= 48
    assert first.secret_key == second.secret_key
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert first.secret_key not in repr(first)


def test_settings_are_taken_from_the_environment(tmp_path: Path) -> None:
    configuration = from_environment(
        {
            "BATON_DATA": str(tmp_path),
            "BATON_DATABASE_URL": "postgresql+psycopg://localhost/baton",
            "BATON_SECRET_KEY": "given",
            "BATON_ZONE": "Europe/Berlin",
            "BATON_CLOCK_CONTROL": "1",
            "BATON_PROXIES": "2",
            "BATON_HISTORY_TTL": "P2Y",
            "BATON_ARCHIVE": str(tmp_path / "kept"),
            "BATON_LOG_FORMAT": "json",
            "BATON_LOG_LEVEL": "warning",
        }
    )

    assert configuration.database_url == "postgresql+psycopg://localhost/baton"
    assert configuration.secret_key == "given"
    assert configuration.engine().zone.key == "Europe/Berlin"
    assert configuration.engine().clock_control
    assert str(configuration.engine().history_time_to_live) == "P2Y"
    assert configuration.archive_directory == tmp_path / "kept"
    assert (configuration.proxies, configuration.log_format, configuration.log_level) == (2, "json", "warning")
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATON_ZONE", "Shanghai"),
        ("BATON_CLOCK_CONTROL", "perhaps"),
        ("BATON_PROXIES", "-1"),
        ("BATON_HISTORY_TTL", "a year"),
        ("BATON_LOG_FORMAT", "xml"),
        ("BATON_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidConfiguration, match=name):
        from_environment({"BATON_DATA": str(tmp_path), name: value})
