"""The table of vault/FORMAT.md that says from where a decryptor reads the context, read from the page."""

import re
from dataclasses import dataclass
from pathlib import Path

from mandant.vault.category import Category

PAGE = Path(__file__).parents[1] / "vault" / "FORMAT.md"


@dataclass(frozen=True)
class Line:
    """One line of the page's table."""

    table: str
    column: str
    kind: str
    owner: str
    category: int
    module: str
    field: str
    record_id: str
    version: str


def lines_of_the_page() -> list[Line]:
    """Columns of sealed bytes in the data database, as the page has them."""
    found = []
    for line in PAGE.read_text().split("## Where it stands")[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not re.fullmatch(r"`\w+\.sealed\w*`", cells[0]):
            continue
        table, column = cells[0].strip("`").split(".")
        kind, owner = cells[1].replace("`", "").split(", ")
        module, field = cells[3].replace("`", "").split(", ")
        category = "module" if "declares" in cells[2] else cells[2]
        found.append(
            Line(
                table,
                column,
                kind,
                owner,
                Category[category.upper()].value,
                module,
                field,
                cells[4].strip("`"),
                cells[5].strip("`"),
            )
        )
    return found
