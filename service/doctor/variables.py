"""Every setting with its value, secrets masked; and variables that no setting has."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from urllib.parse import urlsplit, urlunsplit

from mandant.service.doctor.line import Line, ok, warning, wrong
from mandant.service.settings import SettingError, Settings, unknown_variables

PART = "settings"


def check_variables(environ: Mapping[str, str]) -> Iterator[Line]:
    """One line a setting, then the unknown ones, then what does not fit together."""
    for one in fields(Settings):
        variable = one.metadata["variable"]
        raw = environ.get(variable, "").strip()
        try:
            value = one.metadata["parse"](raw) if raw else one.default
        except ValueError as error:
            yield wrong(PART, variable, "has a value that cannot be meant", f"{variable} {error}")
            continue
        shown = "not set" if value is None else _masked(str(value)) if not one.repr else _plain(value)
        yield ok(PART, variable, shown if raw else f"{shown} (default)")
    known = [one.metadata["variable"] for one in fields(Settings)]
    for name in unknown_variables(environ):
        near = get_close_matches(name, known, n=1)
        todo = f"did you mean {near[0]}?" if near else "remove it"
        yield warning(PART, name, "no setting has this name, so it does nothing", todo)
    try:
        Settings.from_env(environ)
    except SettingError as error:
        yield wrong(PART, error.variable, "the settings do not fit together", str(error))


def _plain(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _masked(url: str) -> str:
    """The URL with `***` for its password, also where that stands in the query."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = "&".join(
        "password=***" if pair.startswith("password=") else pair for pair in parts.query.split("&")
    )
    netloc = f"{name}{':***' if colon else ''}{at}{place}"
    return urlunsplit(parts._replace(netloc=netloc, query=query))
