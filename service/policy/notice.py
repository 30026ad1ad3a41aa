"""The retention part of a privacy notice as a document without a format: heading, paragraphs, tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mandant.service.policy.english import ENGLISH
from mandant.service.policy.french import FRENCH
from mandant.service.policy.german import GERMAN
from mandant.service.policy.words import Words
from mandant.tenants.retention import Policy

__all__ = ["LANGUAGES", "Grid", "Notice", "notice"]

LANGUAGES = {"de": GERMAN, "en": ENGLISH, "fr": FRENCH}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; every row has as many cells as `heads`."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """What is rendered, in this order: title, day, paragraphs, tables, paragraphs."""

    language: str
    title: str
    as_of: str
    before: tuple[str, ...]
    tables: tuple[Grid, ...]
    behind: tuple[str, ...]


def notice(policy: Policy, words: Words) -> Notice:
    """The policy in one language. A category without words is a KeyError: nothing is left out in silence.

    Source: C8, C15, Z8; the table of the notices, C5.1 to C16.2.
    """
    rows: list[tuple[str, ...]] = []
    for rule in policy.rules:
        rows.append(
            (
                words.names[rule.category],
                words.contents[rule.category],
                words.kept(rule),
                words.deletion[rule.deletion],
            )
        )
        rows += [
            ("", words.parts[part.name], words.kept_part(part), words.deletion[part.deletion])
            for part in rule.apart
        ]
    cookies = tuple((words.parts[cookie.name], words.kept_cookie(cookie)) for cookie in policy.cookies)
    return Notice(
        words.language,
        words.title,
        words.as_of.format(words.date(date.fromisoformat(policy.version))),
        words.before,
        (Grid("", words.heads, tuple(rows)), Grid(words.cookies, words.cookie_heads, cookies)),
        words.behind,
    )
