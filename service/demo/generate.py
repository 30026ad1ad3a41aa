"""Writes the demo's export files; run again, it writes the same bytes. Nobody in them exists.

    python service/demo/generate.py

Names are combined at random from common ones, addresses from real towns and invented streets; e-mail
domains end in .example (RFC 2606), phone numbers have 555 where a Swiss number has its exchange.
"""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

from mandant.vault.normalise import text

HERE = Path(__file__).parent

GERMAN = (
    "Anna Beat Claudia Daniel Elisabeth Fabian Gabriela Hans Ivo Jürg Käthi Lukas Mirjam Noël "
    "Ottilia Petra Reto "
    "Sandra Thomas Ursula Verena Walter Zoë Matthias Köbi Regula Stefan Heidi Urs Simone Rahel Andreas Björn",
    "Müller Meier Schmid Keller Weber Huber Schneider Frei Gerber Brunner Baumann Zürcher Stäheli "
    "Lüthi Hürlimann "
    "Bühler Käser Wüthrich Grüter Nägeli Ammann Rüegg Gasser Zbinden Zgraggen Odermatt Caduff Bächtold",
    (("8001", "Zürich"), ("8400", "Winterthur"), ("3011", "Bern"), ("9000", "St. Gallen"), ("6003", "Luzern"),
     ("7000", "Chur"), ("4051", "Basel"), ("8820", "Wädenswil"), ("6300", "Zug"), ("5000", "Aarau")),
    ("Alpweg", "Büelstrasse", "Dorfgasse", "Sonnenhalde", "Mühlerain", "Kirchplatz", "Grünaustrasse",
     "Seeweg"),
)  # fmt: skip
FRENCH = (
    "Amélie Benoît Chloé Didier Élodie François Geneviève Hélène Irène Jérôme Kévin Laëtitia Maëlle "
    "Noémie Océane "
    "Pascal Quentin Raphaël Stéphanie Théo Ursule Valérie Xavier Yves Zélie Loïc Aurélien Céline Gaël Inès",
    "Favre Rochat Dubois Blanc Martin Chappuis Bonvin Cornu Délèze Girardin Jaquet Monnier Pittet "
    "Rey Savoy Tissot "
    "Vuilleumier Zufferey Bérard Crêt Gauthey Nançoz Perrière Ruchonnet",
    (("1003", "Lausanne"), ("1201", "Genève"), ("1800", "Vevey"), ("2000", "Neuchâtel"), ("1700", "Fribourg"),
     ("1950", "Sion"), ("1820", "Montreux"), ("1400", "Yverdon-les-Bains"), ("1110", "Morges")),
    ("Rue du Lac", "Chemin des Vignes", "Avenue de la Gare", "Quai des Mouettes", "Ruelle du Four",
     "Route du Moulin"),
)  # fmt: skip


@dataclass(frozen=True)
class Somebody:
    first: str
    last: str
    company: str
    street: str
    postcode: str
    city: str
    email: str
    phone: str
    mobile: str
    birthday: date | None
    tags: str
    notes: str


def people(seed: int, count: int, language: str) -> list[Somebody]:
    """`count` invented persons and a few companies, no e-mail address twice."""
    choose = random.Random(seed)
    first_names, last_names, towns, streets = GERMAN if language == "de" else FRENCH
    found: list[Somebody] = []
    domain = "velofreunde" if language == "de" else "gourmets"
    for number in range(count):
        first, last = choose.choice(first_names.split()), choose.choice(last_names.split())
        postcode, city = choose.choice(towns)
        is_company = choose.random() < 0.15
        kind = choose.choice(
            ("Garage", "Café", "Schreinerei") if language == "de" else ("Hôtel", "Café", "Garage")
        )
        company = f"{kind} {last} {'AG' if language == 'de' else 'Sàrl'}" if is_company else ""
        house = choose.randint(1, 98)
        street = choose.choice(streets)
        local = f"{first}.{last}.{number}"
        found.append(
            Somebody(
                first,
                last,
                company,
                f"{street} {house}",
                postcode,
                city,
                f"{(text(local) or '').replace(' ', '')}@{domain}.example",
                f"0{44 if language == 'de' else 21} 555 {choose.randint(10, 99)} {choose.randint(10, 99)}",
                f"+41 79 555 {choose.randint(10, 99)} {choose.randint(10, 99)}"
                if choose.random() < 0.6
                else "",
                date(choose.randint(1945, 2004), choose.randint(1, 12), choose.randint(1, 28))
                if choose.random() < 0.5
                else None,
                choose.choice(
                    ("Stammkunde", "Newsletter;Stammkunde", "E-Bike", "")
                    if language == "de"
                    else ("Mariage", "Entreprise", "Végétarien", "")
                ),
                choose.choice(
                    ("", "", "Möchte per SMS benachrichtigt werden.", "Rahmengrösse 56,\nHelm Grösse M")
                    if language == "de"
                    else ("", "", "Allergie: noix.", "Préfère être appelé l'après-midi,\njamais le lundi")
                ),
            )
        )
    return found


def outlook(rows: Iterable[Somebody]) -> bytes:
    """Outlook's German CSV: Windows-1252, semicolons, day first."""
    head = [
        "Anrede",
        "Vorname",
        "Nachname",
        "Firma",
        "Straße geschäftlich",
        "Ort geschäftlich",
        "Postleitzahl geschäftlich",
        "Land/Region geschäftlich",
        "Straße privat",
        "Ort privat",
        "Postleitzahl privat",
        "Land/Region privat",
        "Telefon geschäftlich",
        "Telefon privat",
        "Mobiltelefon",
        "E-Mail-Adresse",
        "Geburtstag",
        "Kategorien",
        "Notizen",
    ]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(head)
    for who in rows:
        place = [who.street, who.city, who.postcode, "Schweiz"]
        nowhere = ["", "", "", ""]
        day = f"{who.birthday:%d.%m.%Y}" if who.birthday and not who.company else ""
        person = ["", "", ""] if who.company else ["", who.first, who.last]
        phones = [who.phone, "", who.mobile] if who.company else ["", who.phone, who.mobile]
        places = [*place, *nowhere] if who.company else [*nowhere, *place]
        writer.writerow([*person, who.company, *places, *phones, who.email, day, who.tags, who.notes])
    return out.getvalue().encode("cp1252")


def google(rows: Iterable[Somebody]) -> bytes:
    """Google Contacts' CSV: UTF-8, commas, numbered columns, ` ::: ` between several values."""
    head = [
        "First Name", "Middle Name", "Last Name", "Organization Name", "Birthday", "Notes", "Labels",
        "E-mail 1 - Label", "E-mail 1 - Value", "Phone 1 - Label", "Phone 1 - Value", "Phone 2 - Label",
        "Phone 2 - Value", "Address 1 - Label", "Address 1 - Street", "Address 1 - City",
        "Address 1 - Postal Code", "Address 1 - Country",
    ]  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    for who in rows:
        label = "Work" if who.company else "Home"
        names = ["", "", ""] if who.company else [who.first, "", who.last]
        day = who.birthday.isoformat() if who.birthday and not who.company else ""
        tags = f"{who.tags} ::: * myContacts" if who.tags else "* myContacts"
        mobile = ["Mobile", who.mobile] if who.mobile else ["", ""]
        address = [label, who.street, who.city, who.postcode, "CH"]
        writer.writerow(
            [*names, who.company, day, who.notes, tags, label, who.email, label, who.phone, *mobile, *address]
        )
    return out.getvalue().encode()


def vcards(rows: Iterable[Somebody]) -> bytes:
    """vCard 3.0 with folded lines, as a telephone writes it."""
    lines: list[str] = []
    for number, who in enumerate(rows, 1):
        kind = "WORK" if who.company else "HOME"
        lines += ["BEGIN:VCARD", "VERSION:3.0", f"UID:alpenglut-{number:04}"]
        if who.company:
            lines += ["N:;;;;", f"FN:{who.company}", f"ORG:{who.company};"]
        else:
            lines += [f"N:{who.last};{who.first};;;", f"FN:{who.first} {who.last}"]
        lines += [
            f"item1.EMAIL;TYPE=INTERNET,{kind}:{who.email}",
            f"TEL;TYPE={kind},VOICE:{who.phone}",
            f"ADR;TYPE={kind}:;;{who.street};{who.city};;{who.postcode};Schweiz",
        ]
        if who.mobile:
            lines.append(f"TEL;TYPE=CELL:{who.mobile}")
        if who.birthday and not who.company:
            lines.append(f"BDAY:{who.birthday:%Y-%m-%d}")
        if who.notes:
            note = who.notes.replace(",", "\\,").replace("\n", "\\n")
            lines.append(f"NOTE:{note}")
        lines.append("END:VCARD")
    folded = [line if len(line) <= 60 else f"{line[:60]}\r\n {line[60:]}" for line in lines]
    return ("\r\n".join(folded) + "\r\n").encode()


def workbook(rows: Iterable[Somebody]) -> bytes:
    """A minimal XLSX with French headings and dates as numbers, the same bytes each time."""
    head = ["N° client", "Civilité", "Prénom", "Nom", "Société", "Rue", "NPA", "Localité", "Pays", "Courriel",
            "Téléphone", "Natel", "Date de naissance", "Remarques"]  # fmt: skip
    lines = [_row(1, head)]
    for number, who in enumerate(rows, 1):
        cells: list[str | date] = [
            f"LB-{number:04}", "", "" if who.company else who.first,
             "" if who.company else who.last, who.company,
            who.street, who.postcode, who.city, "Suisse", who.email, who.phone, who.mobile,
            who.birthday if who.birthday and not who.company else "", who.notes,
        ]  # fmt: skip
        lines.append(_row(number + 1, cells))
    space = "http://schemas.openxmlformats.org"
    main = f"{space}/spreadsheetml/2006/main"
    office = f"{space}/officeDocument/2006/relationships"
    package = f"{space}/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    sheet = "".join(lines)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{types}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Clients" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
        "</styleSheet>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + body)
    return out.getvalue()


def _row(number: int, cells: Iterable[str | date]) -> str:
    written = []
    for column, cell in enumerate(cells):
        reference = f"{chr(65 + column)}{number}"
        if isinstance(cell, date):
            written.append(f'<c r="{reference}" s="1"><v>{(cell - date(1899, 12, 30)).days}</v></c>')
        elif cell:
            body = escape(cell)
            written.append(
                f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{body}</t></is></c>'
            )
    return f'<row r="{number}">{"".join(written)}</row>'


def main() -> None:
    velo = people(1, 180, "de")
    lac = people(2, 160, "fr")
    (HERE / "alpenglut-outlook.csv").write_bytes(outlook(velo[:120]))
    (HERE / "alpenglut-telefon.vcf").write_bytes(vcards(velo[120:]))
    (HERE / "lac-bleu-google.csv").write_bytes(google(lac[:100]))
    (HERE / "lac-bleu-clients.xlsx").write_bytes(workbook(lac[100:]))


if __name__ == "__main__":
    main()
