"""Files as Outlook, Google Contacts, Excel and telephones write them become customers."""

import io
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mandant.tenants.errors import Invalid
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.modules.importing import (
    Column,
    DryRun,
    FileRefused,
    Format,
    Importer,
    Mapping,
    ProblemReport,
    dedupe_key,
    open_reader,
    places,
    preview,
    propose,
    sniff,
    values,
)

HERE = Path(__file__).parents[2]
SAMPLES = HERE / "data" / "import"
DEMO = HERE.parent / "service" / "demo"


def dry(name: str, mapping: Mapping | None = None) -> DryRun:
    with (SAMPLES / name).open("rb") as file:
        return preview(customers, open_reader(file, name), mapping)


def dry_bytes(data: bytes, name: str = "x.csv") -> DryRun:
    return preview(customers, open_reader(io.BytesIO(data), name))


def plain(run: DryRun, row: int) -> dict[str, Any]:
    """The record of a row, without what is empty."""
    record = run.first[row][1]
    assert record is not None, run.faults
    built: dict[str, Any] = msgspec.to_builtins(record)
    return {
        key: [{k: v for k, v in i.items() if v} if isinstance(i, dict) else i for i in value]
        if isinstance(value, list)
        else value
        for key, value in built.items()
        if value
    }


def test_outlook_german_windows_1252() -> None:
    run = dry("outlook-de.csv")
    assert (run.good, run.bad, run.mapping.unmapped) == (2, 0, ("E-Mail-Typ", "Vertraulichkeit"))
    assert plain(run, 0) == {
        "kind": "person",
        "salutation": "Frau",
        "first_name": "Käthi Rosa",
        "last_name": "Müller",
        "addresses": [
            {"kind": "home", "street": "Büelstrasse 3", "postcode": "8001", "city": "Zürich", "country": "CH"}
        ],
        "emails": [
            {"kind": "home", "address": "kaethi@velo.example"},
            {"kind": "home", "address": "zwei@velo.example"},
        ],
        "phones": [
            {"kind": "home", "number": "044 555 12 34"},
            {"kind": "mobile", "number": "079 555 12 34"},
        ],
        "birthday": "1990-12-31",
        "tags": ["Stammkunde"],
        "notes": 'Mag "Gravel",\r\nkommt am Montag',
    }
    company = plain(run, 1)
    assert (company["kind"], company["company"]) == ("company", "Café Zäziwil AG")
    assert [a["kind"] for a in company["addresses"]] == ["work"]
    assert [p["kind"] for p in company["phones"]] == ["fax", "work"]
    assert "birthday" not in company, "Outlook writes 0.0.00 for no birthday"


def test_google_english_utf8() -> None:
    run = dry("google-en.csv")
    assert (run.good, run.bad, run.mapping.unmapped) == (2, 0, ())
    zoe = plain(run, 0)
    assert zoe["emails"] == [
        {"kind": "home", "address": "zoe@mail.example"},
        {"kind": "work", "address": "zoe@work.example"},
    ]
    assert zoe["addresses"][0]["country"] == "GB"
    assert (zoe["tags"], zoe["notes"], zoe["birthday"]) == (["Friends"], "Two\nlines", "1984-02-29")
    assert run.first[1][0].line == 4, "a quoted line end counts as a line of the file"
    assert plain(run, 1) == {"kind": "person", "last_name": "Plato"}


def test_excel_utf16_tabs_and_french_with_a_sep_line() -> None:
    assert plain(dry("excel-utf16.csv"), 0)["last_name"] == "Nägeli"
    french = dry("excel-sep.csv")
    assert french.mapping.unmapped == ()
    assert french.mapping.date_order == "dmy", "25/12/1991 says what 01/02/1990 means"
    amelie = plain(french, 0)
    assert (amelie["birthday"], amelie["language"]) == ("1990-02-01", "fr")
    assert amelie["addresses"][0] == {
        "kind": "home",
        "street": "Rue du Lac 1",
        "postcode": "1003",
        "city": "Lausanne",
        "country": "CH",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_end(encoding: str, delimiter: str, end: str) -> None:
    rows = [["Prénom", "Nom"], ["Zoë", "Zürcher"], ["Ann", "Lee"]]
    run = dry_bytes((end.join(delimiter.join(row) for row in rows) + end).encode(encoding))
    assert [plain(run, n)["last_name"] for n in (0, 1)] == ["Zürcher", "Lee"]
    assert [row.line for row, _ in run.first] == [2, 3]


def test_big_endian_utf16_with_a_mark() -> None:
    assert dry_bytes("\ufeffNom\nLéa\n".encode("utf-16-be")).good == 1


def test_vcard_3_with_folding_groups_photo_and_a_2_1_card_behind_it() -> None:
    run = dry("phone3.vcf")
    regula = plain(run, 0)
    assert run.first[0][0].uid == "urn:uuid:11111111-1111-4111-8111-111111111111"
    assert (regula["company"], regula["department"]) == ("Velo; Söhne AG", "Werkstatt")
    assert regula["notes"].endswith("der im Telefon gefaltet wurde")
    assert "\nzweite Zeile" in regula["notes"]
    assert regula["addresses"] == [
        {
            "kind": "home",
            "street": "Dorfgasse 5, Hinterhaus",
            "extra": "Postfach 7",
            "postcode": "7000",
            "city": "Chur",
            "region": "GR",
            "country": "CH",
        }
    ]
    assert [p["kind"] for p in regula["phones"]] == ["mobile", "fax"]
    jorg = plain(run, 1)
    assert (jorg["last_name"], jorg["first_name"], jorg["notes"]) == (
        "Zürcher",
        "Jörg",
        "lange Notiz ohne Ende",
    )


def test_vcard_4_with_uris_quoted_parameters_and_half_a_birthday() -> None:
    run = dry("phone4.vcf")
    noemie = plain(run, 0)
    assert noemie["phones"] == [{"kind": "mobile", "number": "+41-79-555-66-66"}]
    assert noemie["website"] == "https://noemie.example/a:b"
    assert noemie["addresses"][0]["street"] == "Rue du Four 3"
    assert run.mapping.unmapped == ("BDAY without year",)


def test_xlsx_with_dates_numbers_and_formulas_as_text() -> None:
    run = dry("openpyxl.xlsx")
    reto, zoe = plain(run, 0), plain(run, 1)
    assert (reto["number"], reto["birthday"], reto["notes"]) == ("1001", "1980-03-01", "=1+1")
    assert (zoe["birthday"], zoe["addresses"][0]["postcode"]) == ("1979-12-31", "8001")


def test_every_problem_has_its_line_and_column_and_the_good_rows_are_in() -> None:
    run = dry("broken-lines.csv")
    assert (run.rows, run.good, run.bad) == (6, 2, 4)
    assert [(f.line, f.column) for f in run.faults] == [
        (3, "Nachname"),
        (4, "Vorname"),
        (5, "E-Mail"),
        (5, "Geburtstag"),
        (6, ""),
    ]
    assert run.fault_count == 5


def test_the_problem_report_holds_the_original_row_and_can_be_imported_again() -> None:
    run = dry("broken-lines.csv")
    report = ProblemReport([c.column for c in run.mapping.columns])
    bad = [(row, [f for f in run.faults if f.line == row.line]) for row, made in run.first if made is None]
    data = report.head() + b"".join(report.row(row, faults) for row, faults in bad)
    text = data.decode("utf-8-sig")
    assert "no address" in text
    assert "5;E-Mail; Geburtstag" not in text, "cells that hold the separator are quoted"
    again = dry_bytes(data.replace(b"no address", b"dani@velo.example").replace(b"32.13.1990", b"31.12.1990"))
    assert "Gerber" in [plain(again, n).get("last_name") for n, (_, r) in enumerate(again.first) if r]


def test_a_person_may_change_the_mapping_but_not_to_fields_that_do_not_exist() -> None:
    first = dry("broken-lines.csv").mapping
    changed = msgspec.structs.replace(
        first, columns=(*(c for c in first.columns if c.column != "Nachname"), Column("Nachname", "company"))
    )
    assert plain(dry("broken-lines.csv", changed), 0)["company"] == "Müller"
    for target in ("nope", "emails[1].nope", "~nope", "x y", "emails..address"):
        with pytest.raises(Invalid):
            Mapping((Column("A", target),)).check(customers)
    assert msgspec.json.decode(msgspec.json.encode(first), type=Mapping) == first


def test_headings_match_in_any_order_case_and_accent_and_samples_help_out() -> None:
    mapping = propose(customers, ["geschäftlich ORT", "prenom", "Kunden Nr", "???"])
    assert [c.target for c in mapping.columns] == ["addresses[work].city", "first_name", "number", None]
    run = dry_bytes(b"Nom,Kolonne 7\nA,a@b.example\nB,b@b.example\n")
    assert run.mapping.columns[1] == Column("Kolonne 7", "emails[1].address", 0.5)


def test_name_beside_vorname_is_the_last_name() -> None:
    assert plain(dry_bytes(b"Name;Vorname\nKeller;Ivo\n"), 0)["last_name"] == "Keller"
    assert plain(dry_bytes(b"Name;Vorname\nIvo Keller;Ivo\n"), 0)["last_name"] == "Keller"
    split = plain(dry_bytes(b'Name;Ort\n"Keller, Ivo";Chur\n'), 0)
    assert (split["first_name"], split["last_name"]) == ("Ivo", "Keller")


def test_the_same_row_has_the_same_key_and_another_row_another() -> None:
    one, two = (dry("outlook-de.csv").first[n][1] for n in (0, 1))
    again = dry("outlook-de.csv").first[0][1]
    assert one is not None
    assert two is not None
    assert again is not None
    assert dedupe_key(one, None) == dedupe_key(again, None) != dedupe_key(two, None)
    assert dedupe_key(one, "uid-1") == dedupe_key(two, "uid-1")


@pytest.mark.parametrize(
    ("head", "filename", "kind"),
    [
        (b"BEGIN:VCARD\n", "", Format.VCARD),
        (b"\xef\xbb\xbfbegin:vcard", "", Format.VCARD),
        ("\ufeffBEGIN:VCARD".encode("utf-16-le"), "", Format.VCARD),
        (b"PK\x03\x04", "", Format.XLSX),
        (b'{"id":1}', "", Format.JSON_LINES),
        (b"a,b", "a.txt", Format.CSV),
    ],
)
def test_a_format_is_known_by_its_beginning(head: bytes, filename: str, kind: Format) -> None:
    assert sniff(head, filename) is kind


@pytest.mark.parametrize("head", [b"\xd0\xcf\x11\xe0", b"%PDF-1.7", b"\x89PNG", b"\x1f\x8b"])
def test_other_formats_are_refused_with_what_to_do(head: bytes) -> None:
    with pytest.raises(FileRefused):
        sniff(head)
    with pytest.raises(FileRefused):
        sniff(b"hello", "a.vcf")


def test_dates_are_read_only_where_they_are_unambiguous() -> None:
    expected = date(1990, 12, 31)
    for text in ("31.12.1990", "12/31/1990", "31/12/1990", "1990-12-31", "19901231", "31.12.1990 00:00:00"):
        assert values.day(text) == expected
    assert values.day("1/2/1990", "dmy") == date(1990, 2, 1)
    assert values.day("1/2/1990", "mdy") == date(1990, 1, 2)
    assert values.day("1.2.1990") == date(1990, 2, 1)
    for text in ("1/2/1990", "31.12.90", "32.1.1990", "30.2.1990", "soon", "0000-00-00"):
        with pytest.raises(ValueError):
            values.day(text)
    assert values.date_order(["1/2/1990", "25/1/1990"]) == "dmy"
    assert values.date_order(["13/1/1990", "1/13/1990"]) is None


def test_numbers_countries_and_ibans_as_people_write_them() -> None:
    for text in ("1234.50", "1'234.50", "1’234,50", "1.234,50", "1,234.50"):
        assert str(values.number(text)) == "1234.50"
    assert str(values.number("1,234,567")) == "1234567"
    for text in ("1,234", "abc", "", "NaN"):
        with pytest.raises(ValueError):
            values.number(text)
    for text in ("Schweiz", "SUISSE", "switzerland", "ch", "CH", "Svizzera"):
        assert places.country(text) == "CH"
    assert places.country("Österreich") == "AT"
    with pytest.raises(ValueError):
        places.country("Atlantis")
    assert (places.language("Français"), places.language("de-CH")) == ("fr", "de")
    assert values.iban("ch93 0076 2011 6238 5295 7") == "CH9300762011623852957"
    with pytest.raises(ValueError, match="check digits"):
        values.iban("CH94 0076 2011 6238 5295 7")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("alpenglut-outlook.csv", 120),
        ("alpenglut-telefon.vcf", 60),
        ("lac-bleu-google.csv", 100),
        ("lac-bleu-clients.xlsx", 60),
    ],
)
def test_the_demo_files_import_without_a_problem(name: str, count: int) -> None:
    with (DEMO / name).open("rb") as file:
        run = preview(customers, open_reader(file, name))
    assert (run.good, run.bad, run.mapping.unmapped) == (count, 0, ())


def test_the_demo_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    (tmp_path / "generate.py").write_bytes((DEMO / "generate.py").read_bytes())
    subprocess.run(
        [sys.executable, tmp_path / "generate.py"], check=True, env={"PYTHONPATH": str(HERE.parent)}
    )
    for file in DEMO.glob("*.[cvx]*"):
        if file.suffix != ".py" and file.is_file():
            assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


def test_an_importer_holds_for_any_module_of_a_host() -> None:
    from mandant.tenants.modules import Module, Record

    class Machine(Record):
        serial: str
        bought: date | None = None
        price: float | None = None
        active: bool = True
        spare_parts: list[str] = []  # noqa: RUF012

    machines = Module("machines", Machine)
    data = b"Serial;Bought;Price;Active;Spare Parts\nA1;1.2.2020;1'200.50;nein;Belt, Wheel\n"
    reader = open_reader(io.BytesIO(data))
    importer = Importer(machines, propose(machines, reader.header))
    made = [importer.to_record(row) for row in reader.rows()]
    expected = Machine(serial="A1", bought=date(2020, 2, 1), price=1200.5, active=False)
    expected.spare_parts = ["Belt", "Wheel"]
    assert made == [expected]


def test_a_customer_without_any_name_is_a_problem_of_its_row() -> None:
    run = dry_bytes(b"Nom;Ort\n;Chur\n")
    assert [(f.line, f.column) for f in run.faults] == [(2, "Nom")]
    with pytest.raises(Invalid):
        customers.parse(b"{}")
    assert customers.parse(b'{"company":"A"}') == Customer(company="A")
