"""Google's discovery documents as the tests use them.

Owns: finding the documents inside the package google-api-python-client, and the extract of them that fake Google
carries (crates/fake-google/data/discovery.json). Must not know fake Google's behaviour.

Run as a program it writes the extract:  python discovery.py > crates/fake-google/data/discovery.json
"""

import json
import pathlib
import sys

import googleapiclient.discovery_cache

DOCUMENTS = pathlib.Path(googleapiclient.discovery_cache.__file__).parent / "documents"

# The methods that fake Google answers, by the id that the discovery documents give them.
METHODS = {
    "sheets.v4": [
        "sheets.spreadsheets.batchUpdate",
        "sheets.spreadsheets.create",
        "sheets.spreadsheets.get",
        "sheets.spreadsheets.getByDataFilter",
        "sheets.spreadsheets.values.append",
        "sheets.spreadsheets.values.batchClear",
        "sheets.spreadsheets.values.batchGet",
        "sheets.spreadsheets.values.batchUpdate",
        "sheets.spreadsheets.values.clear",
        "sheets.spreadsheets.values.get",
        "sheets.spreadsheets.values.update",
    ],
    "drive.v3": [
        "drive.about.get",
        "drive.channels.stop",
        "drive.files.get",
        "drive.files.list",
        "drive.files.watch",
    ],
    "oauth2.v2": ["oauth2.tokeninfo", "oauth2.userinfo.get"],
}


def document(name):
    """The discovery document `sheets.v4`, `drive.v3` or `oauth2.v2`."""
    return json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))


def methods(resource):
    """All methods below a resource, depth first."""
    yield from resource.get("methods", {}).values()
    for child in resource.get("resources", {}).values():
        yield from methods(child)


def kind(schema):
    """A property's type in the extract: `#Name` for a schema, `[…]` for a list, `{…}` for a map, else JSON's type."""
    if "$ref" in schema:
        return "#" + schema["$ref"]
    if schema.get("type") == "array":
        return "[" + kind(schema["items"]) + "]"
    if schema.get("type") == "object" and "additionalProperties" in schema:
        return "{" + kind(schema["additionalProperties"]) + "}"
    return schema.get("type", "any")


def properties(schema):
    """A schema's properties and their types. What a schema spells out within itself is only an `object`."""
    return {name: kind(child) for name, child in schema.get("properties", {}).items()}


def reachable(schemas, names):
    """The named schemas and all that they mention, in the extract's form."""
    out, waiting = {}, list(names)
    while waiting:
        name = waiting.pop()
        if name in out:
            continue
        found = properties(schemas[name])
        out[name] = found
        waiting.extend(k.strip("[]{}#") for k in found.values() if "#" in k)
    return out


def extract():
    """What fake Google carries of the documents: paths, parameters, scopes, and the names and types of fields."""
    out = {}
    for name, wanted in METHODS.items():
        doc = document(name)
        by_id = {method["id"]: method for method in methods(doc)}
        # Paths that Google knows and fake Google does not answer; so it can say so instead of "not found".
        prefix = doc["servicePath"].strip("/")
        prefix = prefix + "/" if prefix else ""
        taken = {}
        roots = set()
        for method_id in wanted:
            method = by_id[method_id]
            entry = {
                "httpMethod": method["httpMethod"],
                "path": prefix + method["path"],
                "scopes": sorted(method.get("scopes", [])),
                "parameters": {
                    parameter: {
                        "type": about.get("type", "string"),
                        "in": about["location"],
                        "repeated": about.get("repeated", False),
                        **({"enum": about["enum"]} if "enum" in about else {}),
                    }
                    for parameter, about in sorted(method.get("parameters", {}).items())
                },
            }
            for side in ("request", "response"):
                if side in method:
                    entry[side] = method[side]["$ref"]
                    roots.add(method[side]["$ref"])
            taken[method_id] = entry
        out[name] = {
            "revision": doc["revision"],
            "methods": taken,
            "unanswered": {
                method_id: [method["httpMethod"], prefix + method["path"]]
                for method_id, method in sorted(by_id.items())
                if method_id not in wanted
            },
            "parameters": sorted(doc["parameters"]),
            "schemas": dict(sorted(reachable(doc["schemas"], roots).items())),
        }
    return out


def text():
    """The extract as the file holds it: a line a schema or method, so that a change of Google's can be read."""
    lines = ["{"]
    tables = extract()
    for number, (name, table) in enumerate(tables.items()):
        lines.append(f' "{name}": {{')
        fields = []
        for field, value in table.items():
            if isinstance(value, dict):
                body = ",\n".join(f"   {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items())
                fields.append(f'  "{field}": {{\n{body}\n  }}')
            else:
                fields.append(f'  "{field}": {json.dumps(value)}')
        lines.append(",\n".join(fields))
        lines.append(" }" + ("," if number + 1 < len(tables) else ""))
    lines.append("}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
