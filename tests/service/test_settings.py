"""The environment is read once; a wrong value is told by the variable's name."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from mandant.service.settings import SettingError, Settings, unknown_variables

URL = "postgresql://mandant_app:secret-word@db/mandant"


def test_without_any_variable_everything_is_on_this_machine() -> None:
    settings = Settings.from_env({})
    assert settings.embedded
    assert (settings.kms, settings.objects, settings.var) == ("local", "folder", Path("var"))


def test_a_variable_set_to_nothing_has_its_default() -> None:
    assert Settings.from_env({"MANDANT_KEY_TTL": " "}).key_ttl == 45


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MANDANT_DATABASE_URL", "mysql://secret-word@db/x"),
        ("MANDANT_KMS", "secret-word"),
        ("MANDANT_KMS_ENDPOINT", "ftp://secret-word"),
        ("MANDANT_KEY_TTL", "61"),
        ("MANDANT_KEY_TTL", "4.5"),
        ("MANDANT_PORT", "0"),
        ("MANDANT_PORT", "\u0663"),
        ("MANDANT_PGBOUNCER", "maybe"),
        ("MANDANT_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_names_its_variable_and_does_not_repeat_itself(variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{variable}: must be") as caught:
        Settings.from_env({variable: value})
    assert "secret-word" not in str(caught.value)


def test_data_and_control_are_set_together() -> None:
    with pytest.raises(SettingError, match="^MANDANT_CONTROL_URL: "):
        Settings.from_env({"MANDANT_DATABASE_URL": URL})
    with pytest.raises(SettingError, match="^MANDANT_DATABASE_URL: "):
        Settings.from_env({"MANDANT_CONTROL_URL": URL})


def test_s3_needs_a_bucket() -> None:
    with pytest.raises(SettingError, match="^MANDANT_OBJECTS_BUCKET: is needed"):
        Settings.from_env({"MANDANT_OBJECTS": "s3"})


def test_passwords_are_not_in_the_repr() -> None:
    settings = Settings.from_env({"MANDANT_DATABASE_URL": URL, "MANDANT_CONTROL_URL": URL})
    assert settings.database_url == URL
    assert "secret-word" not in repr(settings)


def test_a_misspelled_variable_is_found() -> None:
    assert unknown_variables({"MANDANT_DATABSE_URL": URL, "MANDANT_VAR": "x", "HOME": "y"}) == [
        "MANDANT_DATABSE_URL"
    ]


def test_each_setting_has_a_variable_of_its_own() -> None:
    variables = [one.metadata["variable"] for one in fields(Settings)]
    assert len(variables) == len(set(variables))
    assert all(variable.startswith("MANDANT_") for variable in variables)


def test_the_command_line_tells_a_wrong_setting_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mandant", "up"],
        env={"MANDANT_KMS": "cloud", "MANDANT_VAR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "mandant: MANDANT_KMS: must be one of local, aws"
