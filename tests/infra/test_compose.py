"""The container files, read and never run: there is no container engine on the machines that test this."""

import configparser
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from mandant.service.settings import Settings, unknown_variables

VALUES = dict.fromkeys(("POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD", "WORKER_PASSWORD"), "secret1")
VALUES |= {"PUBLIC_URL": "https://mandant.example.com"}


def _interpolated(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        name, _, default = match.group(1).partition(":-")
        name = name.partition(":?")[0]
        return VALUES.get(name, default)

    return re.sub(r"\$\{([^}]+)\}", value, text)


@pytest.fixture
def compose(infra: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_interpolated((infra / "compose.yaml").read_text()))
    return loaded


def test_every_setting_is_one_that_mandant_has_and_together_they_are_valid(compose: dict[str, Any]) -> None:
    ours = [one for one in compose["services"].values() if one["image"] == "mandant:local"]

    assert len(ours) == 4
    for service in ours:
        assert unknown_variables(service["environment"]) == []
        settings = Settings.from_env(service["environment"])
        assert not settings.embedded
        assert settings.pgbouncer


def test_only_the_application_goes_through_pgbouncer(compose: dict[str, Any], infra: Path) -> None:
    environment = compose["services"]["web"]["environment"]
    pooled = [name for name, value in environment.items() if "@pgbouncer:" in value]
    ini = configparser.ConfigParser()
    ini.read(infra / "pgbouncer.ini")

    assert pooled == ["MANDANT_DATABASE_URL"]
    assert ini["pgbouncer"]["pool_mode"] == "transaction"
    assert environment[pooled[0]].endswith(f":{ini['pgbouncer']['listen_port']}/mandant")
    assert "mandant" in ini["databases"]


def test_images_are_pinned_to_a_version(compose: dict[str, Any], infra: Path) -> None:
    images = {one["image"] for one in compose["services"].values()} - {"mandant:local"}
    images |= set(re.findall(r"^FROM (\S+)", (infra / "Dockerfile").read_text(), re.MULTILINE))

    assert images
    for image in images:
        assert re.fullmatch(r"[\w/.-]+:v?\d+\.\d+[\w.-]*", image), image


def test_nothing_serves_before_the_migrations_ended(compose: dict[str, Any]) -> None:
    for name in ("web", "worker"):
        assert compose["services"][name]["depends_on"]["migrate"] == {
            "condition": "service_completed_successfully"
        }


def test_every_long_running_part_is_watched(compose: dict[str, Any], infra: Path) -> None:
    for name in ("data", "control", "pgbouncer"):
        assert compose["services"][name]["healthcheck"]["test"][1] == "pg_isready"
    assert "healthcheck" not in compose["services"]["web"]  # the image's own
    assert "/health/ready" in (infra / "Dockerfile").read_text()


def test_the_image_runs_as_nobody_special_and_installs_what_is_pinned(infra: Path) -> None:
    text = (infra / "Dockerfile").read_text()

    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes --requirement requirements.txt" in text
    for folder in ("mandant", "vault", "tenants", "integrations", "service"):
        assert f"COPY {folder} {folder}\n" in text
    variables = set(re.findall(r"(MANDANT_\w+)=", text))
    assert variables <= {one.metadata["variable"] for one in fields(Settings)}


def test_no_secret_stands_in_any_file(infra: Path) -> None:
    for path in infra.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(
                r"AKIA[0-9A-Z]{16}|\b(?!0{12}|123456789012)\d{12}\b|BEGIN .*PRIVATE KEY", text
            ), path
    for line in (infra / "example.env").read_text().splitlines():
        if "PASSWORD" in line and not line.startswith("#"):
            assert line.endswith("=")
