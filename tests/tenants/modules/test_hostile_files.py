"""Files that are made to break an import are refused or become problems, in bounded memory."""

import io
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mandant.tenants.modules.customers import customers
from mandant.tenants.modules.importing import FileRefused, open_reader, preview

ROOT = Path(__file__).parents[3]
MIB = 1024 * 1024


class Endless(io.RawIOBase):
    """A seekable file that makes its bytes when they are read: `head`, `size` of `fill`, `tail`."""

    def __init__(self, head: bytes, fill: bytes, size: int, tail: bytes) -> None:
        self._parts = ((head, len(head)), (fill, size), (tail, len(tail)))
        self._size = sum(length for _, length in self._parts)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._size, self._at + size)
        found = b"".join(self._pieces(self._at, end))
        self._at = end
        return found

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        base = 0
        for fill, length in self._parts:
            low, high = max(start, base) - base, min(end, base + length) - base
            if low < high:
                first = low % len(fill)
                yield (fill * ((high - low) // len(fill) + 2))[first : first + high - low]
            base += length


def peak(run: Callable[[], object]) -> int:
    """Bytes that Python held at most while `run` ran."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def archive(parts: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in parts.items():
            zipped.writestr(name, body)
    return out


WORKBOOK = {
    "xl/workbook.xml": b'<workbook xmlns:r="r"><sheets><sheet name="A" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": b'<Relationships><Relationship Id="rId1" Target="worksheets/s.xml"/></Relationships>',
}


def workbook(sheet: bytes, **more: bytes) -> io.BytesIO:
    return archive({**WORKBOOK, "xl/worksheets/s.xml": sheet, **{f"xl/{k}.xml": v for k, v in more.items()}})


def test_a_csv_of_5000_columns_is_refused_by_number() -> None:
    with pytest.raises(FileRefused, match="5000 columns; at most 500"):
        open_reader(io.BytesIO(b",".join(b"c%d" % n for n in range(5000)) + b"\n"))


def test_a_sheet_of_5000_columns_is_refused_by_number() -> None:
    cells = b"".join(b'<c t="str"><v>c%d</v></c>' % n for n in range(5000))
    with pytest.raises(FileRefused, match="5000 columns; at most 500"):
        open_reader(workbook(b"<worksheet><sheetData><row>" + cells + b"</row></sheetData></worksheet>"))


def test_a_vcard_with_a_50_mb_photo_takes_no_memory_and_harms_no_other_card() -> None:
    head = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna Frei\r\nPHOTO;ENCODING=b;TYPE=JPEG:"
    tail = b"\r\nNOTE:behind\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:4.0\r\nFN:Beat Frei\r\nEND:VCARD\r\n"

    for fill, size in ((b"A" * 75, 50 * MIB), (b"A" * 73 + b"\r\n ", 4 * MIB)):
        file = Endless(head, fill, size // len(fill) * len(fill), tail)

        def run(file: Endless = file) -> None:
            found = preview(customers, open_reader(file, "a.vcf"))  # type: ignore[arg-type]
            assert (found.good, found.bad) == (2, 0)
            assert found.first[0][0].values["NOTE"] == "behind"

        assert peak(run) < 12 * MIB


def test_an_endless_line_is_one_bad_row_and_the_rest_is_read() -> None:
    file = Endless(b"Nom,Note\nAnna,", b"x", 60 * MIB, b"\nBeat,y\n")

    def run() -> None:
        found = preview(customers, open_reader(file, "a.csv"))  # type: ignore[arg-type]
        assert (found.good, found.bad) == (1, 1)
        assert found.faults[0].line == 2
        assert found.first[1][0].line == 3

    assert peak(run) < 40 * MIB


def test_an_unclosed_quote_swallows_a_megabyte_and_not_the_file() -> None:
    file = Endless(b'Nom,Note\nAnna,"open\n', b"Beat,y\n", 7 * 160_000, b"Last,z\n")

    def run() -> None:
        found = preview(customers, open_reader(file, "a.csv"))  # type: ignore[arg-type]
        assert found.bad == 1
        assert 0 < found.good < 30_000
        assert (found.faults[0].line, "quote" in found.faults[0].message) == (2, True)

    assert peak(run) < 40 * MIB


def test_a_long_property_is_a_problem_of_its_card() -> None:
    file = Endless(
        b"BEGIN:VCARD\nFN:A\nNOTE:", b"x", 20 * MIB, b"\nEND:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\n"
    )
    found = preview(customers, open_reader(file, "a.vcf"))  # type: ignore[arg-type]
    assert (found.good, found.bad, found.faults[0].line) == (1, 1, 3)


def test_a_zip_bomb_is_refused_before_it_inflates() -> None:
    bomb = workbook(b"<worksheet><sheetData>" + b" " * (200 * MIB) + b"</sheetData></worksheet>")
    assert len(bomb.getvalue()) < MIB

    def run() -> None:
        with pytest.raises(FileRefused, match="200 times its size"):
            open_reader(bomb)

    assert peak(run) < 4 * MIB


def test_a_zip_bomb_that_lies_about_its_size_does_not_inflate() -> None:
    data = bytearray(workbook(b"<worksheet><sheetData>" + b" " * (64 * MIB)).getvalue())
    # the sheet's uncompressed size, in its local header and in the central directory
    for size in ((64 * MIB + 22).to_bytes(4, "little"),):
        assert data.count(size) == 2
        data = data.replace(size, (1000).to_bytes(4, "little"))

    def run() -> None:
        with pytest.raises(FileRefused):
            open_reader(io.BytesIO(data))

    assert peak(run) < 8 * MIB


def test_a_workbook_with_thousands_of_parts_is_refused() -> None:
    with pytest.raises(FileRefused, match="parts"):
        open_reader(archive({f"p{n}": b"" for n in range(2500)}))


@pytest.mark.parametrize(
    "sheet",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData><row><c t="str"><v>&a;</v></c></row></sheetData></worksheet>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><worksheet/>',
    ],
)
def test_a_doctype_is_refused(sheet: bytes) -> None:
    with pytest.raises(FileRefused, match="DOCTYPE"):
        open_reader(workbook(sheet))


@pytest.mark.parametrize(
    "sheet",
    [
        b"<worksheet><sheetData><row><c",
        b'<worksheet><sheetData><row><c t="s"><v>99</v></c></row></sheetData></worksheet>',
        b'<worksheet><sheetData><row><c t="s"><v>-1</v></c></row></sheetData></worksheet>',
        b'<worksheet><sheetData><row r="x"><c t="str"><v>1</v></c></row></sheetData></worksheet>',
        b'<worksheet><sheetData><row><c r="??"><v>1</v></c></row></sheetData></worksheet>',
        b'<worksheet><sheetData><row><c s="x"><v>1</v></c></row></sheetData></worksheet>',
        b"<worksheet/>",
        b"",
    ],
)
def test_a_damaged_workbook_is_refused(sheet: bytes) -> None:
    with pytest.raises(FileRefused):
        open_reader(workbook(sheet))


def test_a_workbook_damaged_anywhere_never_crashes() -> None:
    good = (ROOT / "tests/data/import/openpyxl.xlsx").read_bytes()
    for at in range(0, len(good), 37):
        broken = bytearray(good)
        broken[at] ^= 0xFF
        try:
            preview(customers, open_reader(io.BytesIO(broken), "a.xlsx"))
        except FileRefused:
            continue
    for cut in range(0, len(good), 211):
        with pytest.raises(FileRefused):
            open_reader(io.BytesIO(good[:cut]), "a.xlsx")


@pytest.mark.parametrize(
    "data", [b"", b"\n\n\n", b"BEGIN:VCARD", b"BEGIN:VCARD\nEND:VCARD\n", b"\xff\xfe", b",,,\n"]
)
def test_nothing_in_it_is_said_and_never_a_crash(data: bytes) -> None:
    try:
        found = preview(customers, open_reader(io.BytesIO(data)))
    except FileRefused:
        return
    assert found.good == 0


def test_more_than_100_mb_is_refused_unread() -> None:
    with pytest.raises(FileRefused, match="100 MB"):
        open_reader(Endless(b"a,b\n", b"x", 100 * MIB + 1, b""), "a.csv")  # type: ignore[arg-type]


def test_100000_rows_are_read_in_bounded_memory() -> None:
    """In a process of its own, by the operating system's account: all of it, libraries included."""
    program = """
import io, resource, zipfile
from mandant.tenants.modules.customers import customers
from mandant.tenants.modules.importing import Importer, open_reader, proposed
rows = b"".join(b"Anna;Frei;anna%d@velo.example;044 555 12 34;Chur;7000;31.12.1990\\n" % n for n in range(100000))
file = io.BytesIO(b"Vorname;Nachname;E-Mail;Telefon;Ort;PLZ;Geburtstag\\n" + rows)
del rows
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader = open_reader(file)
importer = Importer(customers, proposed(customers, reader))
assert sum(not isinstance(importer.to_record(row), list) for row in reader.rows()) == 100000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    out = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, cwd=ROOT, text=True
    )
    assert int(out.stdout) < 20 * 1024


def test_a_row_of_more_than_4_mib_is_refused_though_each_of_its_fields_is_small_enough() -> None:
    field = b'"' + b"x" * 100_000 + b"\n" + b"x" * 800_000 + b'"'
    data = b"Nom,b,c,d,e,f\n" + b",".join([field] * 6) + b"\nBeat,,,,,\n"
    found = preview(customers, open_reader(io.BytesIO(data), "a.csv"))
    assert (found.faults[0].line, "is longer" in found.faults[0].message) == (2, True)
    assert found.first[-1][0].values["Nom"].startswith("Beat")
