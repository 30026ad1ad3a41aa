"""An example for every body of the document: what its types name, or what their kind of value looks like."""

from __future__ import annotations

from typing import Any

from mandant.service.api.schemas import REF, Json

_FORMATS = {
    "uuid": "0190f3e6-7a1b-7000-8000-000000000001",
    "date": "1990-12-31",
    "date-time": "2026-03-02T09:00:00Z",
    "decimal": "12.50",
}
_FILES = {
    "/imports": "Vorname;Name;E-Mail\r\nAnna;Muster;anna@muster.example\r\n",
    "/report": "Zeile;Spalte;Problem;Vorname;Name\r\n3;;a customer needs a name;;\r\n",
}


def add_examples(document: Json) -> None:
    """One for each JSON body, and a small file where the body is one."""
    components = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for operation in item.values():
            answers = [a for status, a in operation["responses"].items() if status.startswith("2")]
            for body in (operation.get("requestBody", {}), *answers):
                for kind, media in body.get("content", {}).items():
                    schema = media.get("schema", {})
                    if kind == "application/json" and schema:
                        media["example"] = example_of(schema, components)
                    elif schema.get("format") == "binary":
                        media["example"] = next(
                            (text for end, text in _FILES.items() if path.endswith(end)), "the file's bytes"
                        )


def example_of(schema: Json, components: Json, name: str = "value") -> Any:
    """A value that fits the schema; `name` is the field's."""
    if "$ref" in schema:
        return example_of(components[schema["$ref"].removeprefix(REF)], components, name)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("default") not in (None, [], {}, ""):
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    arms = schema.get("anyOf") or schema.get("oneOf") or []
    if arms:
        chosen = next(arm for arm in arms if arm.get("type") != "null")
        return example_of(chosen, components, name)
    return _plain(schema, components, name)


def _plain(schema: Json, components: Json, name: str) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {field: example_of(of, components, field) for field, of in fields.items()}
        case "array":
            return [example_of(schema.get("items", {}), components, name.removesuffix("s"))]
        case "string":
            return _text(schema, name)
        case "integer":
            return max(schema.get("minimum", 1), 1)
        case "number":
            return 1.5
        case "boolean":
            return False
    return {}


def _text(schema: Json, name: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    text = name.replace("_", " ").capitalize()
    return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
