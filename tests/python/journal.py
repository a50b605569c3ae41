"""Fake Google's journal held against Google's discovery documents.

Owns turning the documents' schemas into JSON Schema and checking every request and reply by them. Must not know what
was tested. Run as a program it checks a running fake Google:  python journal.py http://localhost:PORT
"""

import json
import sys
import urllib.request

import jsonschema

import discovery

API_OF = {"sheets": "sheets.v4", "drive": "drive.v3", "oauth2": "oauth2.v2"}


def json_schema(schema):
    """A schema of a discovery document as JSON Schema. Unknown fields are errors; nothing is required."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    kind = schema.get("type")
    if kind == "array":
        return {"type": "array", "items": json_schema(schema["items"])}
    if kind == "object":
        if "properties" not in schema:
            more = schema.get("additionalProperties", {"type": "any"})
            return {"type": "object", "additionalProperties": json_schema(more)}
        properties = {name: json_schema(child) for name, child in schema["properties"].items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}
    if kind in (None, "any"):
        return {}
    if kind == "string" and "enum" in schema:
        return {"enum": schema["enum"]}
    if kind == "string" and schema.get("format") in ("int64", "uint64"):
        return {"type": "string", "pattern": "^-?[0-9]+$"}
    return {"type": kind}


class Documents:
    """The documents, ready for checking."""

    def __init__(self):
        self.methods = {}
        self.schemas = {}
        self.parameters = {}
        for name in discovery.METHODS:
            document = discovery.document(name)
            self.schemas[name] = {key: json_schema(value) for key, value in document["schemas"].items()}
            self.parameters[name] = document["parameters"]
            for method in discovery.methods(document):
                self.methods[method["id"]] = (name, method)

    def check(self, name, schema, value):
        """The first thing about `value` that the schema forbids, or nothing."""
        validator = jsonschema.Draft202012Validator({"$defs": self.schemas[name], "$ref": f"#/$defs/{schema}"})
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        return f"{error.json_path}: {error.message[:200]}" if error else None


def check_error(name, body):
    """What is wrong about an error's body, or nothing."""
    error = body.get("error")
    if not isinstance(error, dict) or not {"code", "message", "status"} <= error.keys():
        return "the error has not code, message and status"
    if name == "drive.v3" and not error.get("errors"):
        return "Drive's error has no list of errors"
    return None


def problems(entries, documents):
    """Everything in the journal that the documents forbid. Entries that a fault answered are passed over."""
    for entry in entries:
        method_id = entry.get("methodId")
        if method_id is None or entry["fault"]:
            continue
        name, method = documents.methods[method_id]
        succeeded = 200 <= entry["status"] < 300

        def problem(what):
            return f"entry {entry['number']} ({method_id}, {entry['status']}): {what}"

        known = {**documents.parameters[name], **method.get("parameters", {})}
        if succeeded:
            for parameter, value in entry["query"]:
                about = known.get(parameter)
                if about is None or about.get("location") != "query":
                    yield problem(f"the document has no query parameter {parameter}")
                elif "enum" in about and value not in about["enum"]:
                    yield problem(f"{parameter} can't be {value}")
            for parameter, about in method.get("parameters", {}).items():
                if about.get("required") and about["location"] == "query":
                    if parameter not in [given for given, _ in entry["query"]]:
                        yield problem(f"{parameter} is required")
            scopes = method.get("scopes", [])
            if scopes and not set(scopes) & set(entry["scopes"]):
                yield problem("none of the token's scopes allows the method")
            if entry["requestBody"]:
                if "request" not in method:
                    yield problem("the document has no request body here")
                else:
                    wrong = documents.check(name, method["request"]["$ref"], json.loads(entry["requestBody"]))
                    if wrong:
                        yield problem(f"request {wrong}")
            if "response" in method:
                wrong = documents.check(name, method["response"]["$ref"], json.loads(entry["responseBody"]))
                if wrong:
                    yield problem(f"reply {wrong}")
            elif entry["responseBody"]:
                yield problem("the document has no reply body here")
        elif name != "oauth2.v2":
            wrong = check_error(name, json.loads(entry["responseBody"]))
            if wrong:
                yield problem(wrong)


def fetch(base_url):
    """The journal of a running fake Google."""
    with urllib.request.urlopen(f"{base_url}/control/journal") as reply:
        return json.load(reply)


if __name__ == "__main__":
    found = list(problems(fetch(sys.argv[1]), Documents()))
    print("\n".join(found) or "every request and reply is as Google's documents say")
    sys.exit(1 if found else 0)
