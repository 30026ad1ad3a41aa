"""Reads the files that people have into records: formats, mapping, dry run. No database, no network.

Example::

    reader = open_reader(file, "kontakte.csv")          # Raises: FileRefused
    mapping = proposed(customers, reader)                # shown, and changed by the person
    dry = preview(customers, reader, mapping)
    importer = Importer(customers, mapping)
    for row in reader.rows():
        made = importer.to_record(row)                   # a record, or a list of faults
"""

from mandant.tenants.modules.importing.dedupe import dedupe_key
from mandant.tenants.modules.importing.dryrun import DryRun, preview, proposed
from mandant.tenants.modules.importing.formats import Format, open_reader, sniff
from mandant.tenants.modules.importing.mapping import Column, Mapping, propose
from mandant.tenants.modules.importing.records import Importer
from mandant.tenants.modules.importing.report import ProblemReport
from mandant.tenants.modules.importing.rows import Fault, FileRefused, Reader, SourceRow

__all__ = [
    "Column",
    "DryRun",
    "Fault",
    "FileRefused",
    "Format",
    "Importer",
    "Mapping",
    "ProblemReport",
    "Reader",
    "SourceRow",
    "dedupe_key",
    "open_reader",
    "preview",
    "propose",
    "proposed",
    "sniff",
]
