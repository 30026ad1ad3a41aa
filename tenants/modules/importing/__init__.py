"""Reads the files that people have into records: formats, mapping, dry run. Pure: no database, no network."""
