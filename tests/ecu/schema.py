# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks a JSON value against a schema of openapi.json: the keywords that it uses, and no others."""

import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
         "number": (int, float), "null": type(None)}
ANNOTATIONS = {"description", "default", "contentMediaType", "readOnly"}


class Schema:
    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            value = self.document
            for word in schema["$ref"].removeprefix("#/").split("/"):
                value = value[word]
            schema = value
        return schema

    def errors(self, value, schema, where="reply"):
        """What is wrong with a value, as a list of texts."""
        schema = self.resolve(schema)
        found = []
        known = set()

        def keyword(name):
            known.add(name)
            return schema.get(name)

        types = keyword("type")
        if types:
            types = [types] if isinstance(types, str) else types
            if not any(isinstance(value, TYPES[each]) and
                       (each == "boolean" or not isinstance(value, bool)) for each in types):
                return [f"{where}: expected {types}, found {value!r}"]
        for each in keyword("allOf") or []:
            found += self.errors(value, {**self.resolve(each), "additionalProperties": True}, where)
        if keyword("enum") and value not in schema["enum"]:
            found.append(f"{where}: expected one of {schema['enum']}, found {value!r}")
        if isinstance(value, str):
            if keyword("pattern") and not re.search(schema["pattern"], value):
                found.append(f"{where}: expected {schema['pattern']}, found {value!r}")
            if len(value) < (keyword("minLength") or 0) or \
                    len(value) > (keyword("maxLength") or 1e9):
                found.append(f"{where}: wrong length of {value!r}")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            low, high = keyword("minimum"), keyword("maximum")
            if low is not None and value < low or high is not None and value > high:
                found.append(f"{where}: expected {low} to {high}, found {value}")
        if isinstance(value, list):
            for number, each in enumerate(value):
                found += self.errors(each, keyword("items") or {}, f"{where}[{number}]")
        if isinstance(value, dict):
            properties = keyword("properties") or {}
            more = schema.get("additionalProperties", True)
            for name in keyword("required") or []:
                if name not in value:
                    found.append(f"{where}: expected the member {name}")
            for name, each in value.items():
                if name in properties:
                    found += self.errors(each, properties[name], f"{where}.{name}")
                elif more is False:
                    found.append(f"{where}: unexpected member {name}")
                elif isinstance(more, dict):
                    found += self.errors(each, more, f"{where}.{name}")
        unknown = set(schema) - known - ANNOTATIONS - {
            "additionalProperties", "properties", "required", "items", "pattern", "minLength",
            "maxLength", "minimum", "maximum", "minItems", "maxItems"}
        assert not unknown, f"schema.py does not know {unknown}"
        return found
