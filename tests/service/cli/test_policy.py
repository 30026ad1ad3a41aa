"""`mandant policy`: the table over the live databases, and the page in three languages."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from mandant.service.cli.policy import policy
from mandant.service.doctor import examine
from mandant.service.opening import Role, open_runtime
from mandant.service.policy import LANGUAGES, html, markdown, notice
from mandant.service.settings import Settings
from mandant.tenants.retention import POLICY, Anchor, Period, Unclassified
from mandant.vault.category import Category
from mandant.vault.clock import SystemClock
from tests.service.cli.command import environment, mandant
from tests.stack import Stack

languages = pytest.mark.parametrize("language", sorted(LANGUAGES))


@asynccontextmanager
async def unclassified_column(stack: Stack) -> AsyncIterator[None]:
    """A table of ours, one column of which names no category."""
    owner = await stack.connect("mandant_owner")
    await owner.execute("CREATE TABLE mandant.boat (name text, sail text)")
    await owner.execute("COMMENT ON COLUMN mandant.boat.name IS 'module'")
    try:
        yield
    finally:
        await owner.execute("DROP TABLE mandant.boat")
        await owner.close()


def said(*words: str) -> str:
    ended = CliRunner().invoke(policy, ["page", *words])
    assert ended.exit_code == 0, ended.output
    return ended.output


async def test_the_table_shows_every_column_with_its_category_and_rule(stack: Stack) -> None:
    ended = await mandant(environment(stack), "policy", "show")
    assert ended.code == 0, ended.said
    for word in ("mandant.record", "directory.entry", "queue.procrastinate_jobs", "control.fact"):
        assert word in ended.output
    for word in ("Moduldaten", "OR 958f", "<tenant id>/", "log stream", f"policy of {POLICY.version}"):
        assert word in ended.output


async def test_json_has_the_same_for_machines(stack: Stack) -> None:
    ended = await mandant(environment(stack), "policy", "show", "--json")
    assert ended.code == 0, ended.said
    shown = json.loads(ended.output)
    assert shown["version"] == POLICY.version
    assert shown["unclassified"] == []
    columns = {f"{line['table']}.{line['column']}": line for line in shown["columns"]}
    assert columns["mandant.record.sealed"] == {
        "table": "mandant.record",
        "column": "sealed",
        "category": "module",
        "period": "3 months",
        "anchor": "contracts_ended",
        "statute": None,
        "deletion": ["shred", "delete"],
    }
    assert columns["mandant.agreement.sealed"]["statute"] == "OR 958f"
    assert {line["category"] for line in shown["categories"]} == {one.name.lower() for one in Category}
    assert {line["kind"] for line in shown["stores"]} == {
        *("object prefix", "queue", "log stream", "control table"),
    }


async def test_an_unclassified_column_is_named_and_the_command_ends_with_one(stack: Stack) -> None:
    async with unclassified_column(stack):
        ended = await mandant(environment(stack), "policy", "show")
        assert ended.code == 1
        assert ended.errors.strip() == "mandant.boat.sail is of no data category"
        as_json = await mandant(environment(stack), "policy", "show", "--json")
        assert as_json.code == 1
        assert json.loads(as_json.output)["unclassified"] == ["mandant.boat.sail"]


async def test_the_service_does_not_start_with_an_unclassified_column(stack: Stack) -> None:
    settings = Settings.from_env(environment(stack))
    async with unclassified_column(stack):
        roles: tuple[Role, ...] = ("mandant_app", "mandant_worker")
        for role in roles:
            with pytest.raises(Unclassified, match=r"mandant\.boat\.sail"):
                async with open_runtime(settings, [], role=role):
                    pytest.fail("it started")
        command = await mandant(environment(stack), "vault", "status")
        assert command.code == 1
        assert "no data category is declared for mandant.boat.sail" in command.errors
        assert "Traceback" not in command.said
    async with open_runtime(settings, []):
        pass


async def test_the_doctor_names_it_too(stack: Stack) -> None:
    async with unclassified_column(stack):
        lines = [line async for line in examine(environment(stack), SystemClock())]
    (line,) = [line for line in lines if line.part == "data categories"]
    assert (line.name, line.status) == ("mandant.boat.sail", "wrong")
    assert "COMMENT ON COLUMN mandant.boat.sail" in line.todo


@languages
def test_the_page_has_a_row_for_every_category_and_cookie(language: str) -> None:
    text = said("--language", language)
    words = LANGUAGES[language]
    for rule in POLICY.rules:
        assert f"| {words.names[rule.category]} |" in text
        assert words.kept(rule) in text
        for part in rule.apart:
            assert words.parts[part.name] in text
    for cookie in POLICY.cookies:
        assert words.parts[cookie.name] in text
    assert "{" not in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("language", "said_of_contracts", "said_of_logs"),
    [
        (
            "de",
            "10 Jahre nach der letzten Vertragsaktivität, nicht aber vor Beendigung der Verträge, "
            "mindestens 10 Jahre ab dem Ende des Geschäftsjahres (Art. 958f OR)",
            "30 Tage ab der Erhebung, 12 Monate bei einem Schweizer Unternehmen, solange ein Bankkonto "
            "verknüpft ist",
        ),
        (
            "fr",
            "10 ans après la dernière activité contractuelle, mais jamais avant la fin des contrats, "
            "au moins 10 ans à compter de la fin de l’exercice (art. 958f CO)",
            "30 jours à compter de la collecte, 12 mois pour une entreprise suisse tant qu’un compte "
            "bancaire est relié",
        ),
        (
            "en",
            "10 years after the last contract activity, but never before the contracts end, at least "
            "10 years from the end of the financial year (Art. 958f of the Swiss Code of Obligations)",
            "30 days from collection, 12 months for a Swiss company as long as a bank account is linked",
        ),
    ],
)
def test_what_lengthens_a_period_is_said_with_it(
    language: str, said_of_contracts: str, said_of_logs: str
) -> None:
    text = said("--language", language).replace("\N{NO-BREAK SPACE}", " ")
    assert said_of_contracts in text
    assert said_of_logs in text


def test_each_language_is_written_in_its_own_letters() -> None:
    german, french, english = (said("--language", one) for one in ("de", "fr", "en"))
    assert "Aufbewahrung und Löschung" in german
    assert "Art. 958f OR" in german
    assert not re.search("ß|fuer|ueber|loesch", german, re.IGNORECASE)
    assert "Conservation et effacement des données" in french
    assert "art. 958f CO" in french
    assert "l'" not in french  # a typographic apostrophe
    assert "Art. 958f of the Swiss Code of Obligations" in english
    assert not re.search("[äöüéàè]", english)


@languages
def test_a_changed_period_changes_the_page(language: str) -> None:
    rules = tuple(
        replace(rule, period=Period(months=7)) if rule.category is Category.MODULE else rule
        for rule in POLICY.rules
    )
    changed = replace(POLICY, version="2027-03-01", rules=rules)
    words = LANGUAGES[language]
    text = markdown(notice(changed, words))
    assert text != markdown(notice(POLICY, words))
    assert words.period(Period(months=7)) in text
    assert words.period(Period(months=7)).startswith("7")


@languages
def test_every_event_that_can_be_an_end_can_be_said(language: str) -> None:
    words = LANGUAGES[language]
    assert {*words.after, *words.until} == set(Anchor)


@pytest.mark.parametrize(
    ("language", "day"),
    [("de", "1. März 2027"), ("fr", "1er mars 2027"), ("en", "1 March 2027")],
)
def test_the_day_of_the_version_is_written_out(language: str, day: str) -> None:
    assert day in markdown(notice(replace(POLICY, version="2027-03-01"), LANGUAGES[language]))


class Balanced(HTMLParser):
    """Fails on a tag that is closed by another one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


@languages
def test_html_is_whole_and_says_the_same(language: str) -> None:
    text = said("--language", language, "--format", "html")
    page = Balanced()
    page.feed(text)
    assert page.open == []
    assert text.startswith(f'<section lang="{LANGUAGES[language].language}">')
    rows = notice(POLICY, LANGUAGES[language]).tables
    assert page.cells == [cell for grid in rows for row in grid.rows for cell in row if cell]


def test_html_escapes_what_stands_in_it() -> None:
    words = replace(LANGUAGES["en"], title="a < b & c")
    assert "<h2>a &lt; b &amp; c</h2>" in html(notice(POLICY, words))


async def test_the_page_needs_no_database(tmp_path: Path) -> None:
    environ = {"MANDANT_DATABASE_URL": "postgresql:///nowhere", "PYTHONPATH": ".", "PYTHONUTF8": "1"}
    ended = await mandant(environ, "policy", "page", "--language", "de")
    assert ended.code == 0, ended.said
    assert "Löschung" in ended.output
