"""Compiles the public models of AWS services into the tables that model.cc reads.

    compile_models.py DATA_DIRECTORY OVERLAY_DIRECTORY OUTPUT.cc SERVICE...

DATA_DIRECTORY is botocore's `data`: <service>/<API version>/service-2.json and paginators-1.json; of several versions
the newest counts. OVERLAY_DIRECTORY/<service>.json, if there, is laid over it: what the package is too old to know.
Objects are merged, lists of "errors", "required" and "enum" are joined, null takes away, everything else replaces.

A table is a string of bytes: first every text that occurs, once; then the shapes, the operations and the service
itself, in numbers of variable length (LEB128). model.cc is the other half of this file; kFormat ties them together.
"""

import json
import os
import re
import sys

FORMAT = 1

TYPES = ["structure", "list", "map", "string", "blob", "boolean", "integer", "long", "float", "double", "timestamp"]
LOCATIONS = {None: 0, "uri": 1, "querystring": 2, "header": 3, "headers": 4, "statusCode": 5}
TIME_FORMATS = {None: 0, "iso8601": 1, "unixTimestamp": 2, "rfc822": 3}
PROTOCOLS = {"query": 1, "json": 2, "rest-json": 4, "rest-xml": 8, "smithy-rpc-v2-cbor": 16}
JOINED = {"errors", "required", "enum"}


def overlaid(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif key in JOINED and isinstance(merged.get(key), list):
            merged[key] = merged[key] + [one for one in value if one not in merged[key]]
        elif key in merged:
            merged[key] = overlaid(merged[key], value)
        else:
            merged[key] = value
    return merged


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def load(data, overlays, service):
    newest = max(os.listdir(os.path.join(data, service)))
    folder = os.path.join(data, service, newest)
    model = read_json(os.path.join(folder, "service-2.json"))
    paginators = os.path.join(folder, "paginators-1.json")
    model["pagination"] = read_json(paginators)["pagination"] if os.path.exists(paginators) else {}
    overlay = os.path.join(overlays, service + ".json")
    if os.path.exists(overlay):
        model = overlaid(model, read_json(overlay))
    return model


TOKENS = ["NextToken", "nextToken", "Marker"]
LIMITS = ["MaxResults", "maxResults", "MaxItems", "MaxRecords", "Limit", "limit"]


def pages_of(operation, model):
    """For lists that paginators-1.json forgot: a token that goes in and comes out, and one list."""
    if "input" not in operation or "output" not in operation:
        return {}
    given = model["shapes"][operation["input"]["shape"]].get("members", {})
    taken = model["shapes"][operation["output"]["shape"]].get("members", {})
    tokens = [token for token in TOKENS if token in given and token in taken]
    lists = [name for name, member in taken.items() if model["shapes"][member["shape"]]["type"] == "list"]
    if not tokens or len(lists) != 1:
        return {}
    limit = next((name for name in LIMITS if name in given), None)
    return {"input_token": tokens[0], "output_token": tokens[0], "limit_key": limit, "result_key": lists[0]}


class Table:
    def __init__(self):
        self.texts = {}
        self.out = bytearray()

    def number(self, value):
        assert value >= 0, value
        while value > 0x7F:
            self.out.append(value & 0x7F | 0x80)
            value >>= 7
        self.out.append(value)

    def text(self, value):
        self.number(self.texts.setdefault(value or "", len(self.texts)))

    def texts_of(self, values):
        self.number(len(values))
        for value in values:
            self.text(value)

    def bytes(self):
        body, self.out = self.out, bytearray()
        self.number(FORMAT)
        self.number(len(self.texts))
        for text in self.texts:
            encoded = text.encode()
            self.number(len(encoded))
            self.out += encoded
        return bytes(self.out + body)


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def as_re2(pattern):
    """A pattern of Java in RE2's words: other escapes, and repetitions up to 1000 (lengths are checked beside)."""
    pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}")
    pattern = re.sub(r"\\u([0-9A-Fa-f]{4})", r"\\x{\1}", pattern)
    return re.sub(r"\{(\d+),(\d+)\}", lambda found: found[0] if int(found[2]) <= 1000 else f"{{{found[1]},}}", pattern)


def reachable(model):
    """The shapes that operations use, each after nothing in particular: references are by number."""
    shapes, order, waiting = model["shapes"], {}, []

    def want(reference):
        if reference and reference["shape"] not in order:
            order[reference["shape"]] = len(order)
            waiting.append(reference["shape"])

    for operation in model["operations"].values():
        want(operation.get("input"))
        want(operation.get("output"))
        for error in operation.get("errors", []):
            want(error)
    for name, shape in shapes.items():
        if shape.get("exception") or shape.get("fault"):
            want({"shape": name})
    while waiting:
        shape = shapes[waiting.pop()]
        for member in shape.get("members", {}).values():
            want(member)
        for part in ("member", "key", "value"):
            want(shape.get(part))
    return order


def write_shape(table, name, shape, order, shapes):
    kind = {"character": "string", "bigdecimal": "double"}.get(shape["type"], shape["type"])
    error = shape.get("error", {})
    exception = bool(shape.get("exception") or shape.get("fault"))
    # HTTP status of faults: the service's own where no status is given.
    status = error.get("httpStatusCode", 500 if shape.get("fault") and exception else 400) if exception else 0
    table.text(name)
    table.number(TYPES.index(kind))
    table.number(sum([
        1 if exception else 0,
        2 if shape.get("flattened") else 0,
        4 if error.get("senderFault", status < 500) else 0,
        8 if shape.get("eventstream") else 0,
        16 if shape.get("sensitive") else 0,
    ]))
    table.number(TIME_FORMATS[shape.get("timestampFormat")])
    table.text(shape.get("locationName"))
    table.text((shape.get("xmlNamespace") or {}).get("uri"))
    table.text((shape.get("xmlNamespace") or {}).get("prefix"))
    table.text(str(shape["min"]) if "min" in shape else "")
    table.text(str(shape["max"]) if "max" in shape else "")
    table.text(shape.get("pattern"))
    table.text(as_re2(shape.get("pattern", "")))
    table.texts_of(shape.get("enum", []))
    table.text(error.get("code") if exception else "")
    table.number(status)
    members = shape.get("members", {})
    required = set(shape.get("required", []))
    payload = shape.get("payload")
    table.number(list(members).index(payload) + 1 if payload else 0)
    parts = [(member, reference, member in required) for member, reference in members.items()]
    parts += [(part, shape[part], False) for part in ("member", "key", "value") if part in shape]
    table.number(len(parts))
    for part, reference, is_required in parts:
        namespace = reference.get("xmlNamespace") or {}
        wire = reference.get("locationName", shapes[reference["shape"]].get("locationName") if members else None)
        table.text(part)
        table.text(wire or part)
        table.number(order[reference["shape"]])
        table.number(LOCATIONS[reference.get("location")])
        table.number(TIME_FORMATS[reference.get("timestampFormat")])
        table.number(sum([
            1 if is_required else 0,
            2 if reference.get("flattened") else 0,
            4 if reference.get("xmlAttribute") else 0,
            8 if reference.get("streaming") else 0,
            16 if reference.get("idempotencyToken") else 0,
            32 if reference.get("jsonvalue") else 0,
            64 if wire else 0,
        ]))
        table.text(namespace.get("uri"))
        table.text(namespace.get("prefix"))


def write_operation(table, name, operation, model, order):
    http = operation["http"]
    given, taken = operation.get("input", {}), operation.get("output", {})
    pages = model["pagination"].get(name) or pages_of(operation, model)
    table.text(name)
    table.text(http["method"])
    table.text(http["requestUri"])
    table.number(http.get("responseCode", 200))
    table.number(order[given["shape"]] + 1 if given else 0)
    table.text(given.get("locationName"))
    table.text((given.get("xmlNamespace") or {}).get("uri"))
    table.number(order[taken["shape"]] + 1 if taken else 0)
    table.text(taken.get("locationName"))
    table.text(taken.get("resultWrapper"))
    table.number(sum([
        1 if operation.get("authtype") == "none" else 0,
        2 if operation.get("unwrappedXmlOutput") else 0,
    ]))
    table.texts_of(as_list(pages.get("input_token")))
    table.texts_of([token.split(" || ")[0] for token in as_list(pages.get("output_token"))])
    table.text(pages.get("limit_key"))
    table.texts_of(as_list(pages.get("result_key")))
    table.text(pages.get("more_results"))


def compile_model(service, model):
    metadata, order, table = model["metadata"], reachable(model), Table()
    prefix = metadata["endpointPrefix"]
    table.text(service)
    table.text(metadata.get("signingName", prefix))
    table.text(metadata["serviceId"])
    table.text(metadata["apiVersion"])
    table.text(metadata.get("xmlNamespace"))
    # The name of the service's shape: the prefix of targets, the {service} of RPC paths.
    table.texts_of(as_list(metadata.get("targetPrefix")) + as_list(metadata.get("moreTargetPrefixes")))
    table.text(metadata.get("jsonVersion", "1.1" if metadata["protocol"] == "rest-json" else "1.0"))
    table.text(metadata.get("errorNamespace", ""))
    table.number(PROTOCOLS[metadata["protocol"]])
    table.number(sum({PROTOCOLS[one] for one in as_list(metadata.get("protocols")) + [metadata["protocol"]]}))
    table.number(len(order))
    for name in order:
        write_shape(table, name, model["shapes"][name], order, model["shapes"])
    table.number(len(model["operations"]))
    for name, operation in sorted(model["operations"].items()):
        write_operation(table, name, operation, model, order)
    return table.bytes()


def literal(data):
    """Lines of a C++ string literal. Octal escapes of three digits end where they should."""
    plain = {byte: chr(byte) for byte in range(0x20, 0x7F)}
    plain.update({ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"})
    lines = []
    for start in range(0, len(data), 4096):
        lines.append('"' + "".join(plain.get(byte) or f"\\{byte:03o}" for byte in data[start:start + 4096]) + '"')
    return "\n    ".join(lines)


def main():
    data, overlays, output, services = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    tables = {service: compile_model(service, load(data, overlays, service)) for service in services}
    text = "// Made by compile_models.py. What it means: aws/model.cc.\n"
    text += '#include "aws/model_tables.h"\n\nnamespace securebase::aws {\n\nnamespace {\n'
    for service, table in tables.items():
        text += f"constexpr char k_{service}[] =\n    {literal(table)};\n"
    text += "}  // namespace\n\nconst std::vector<std::string_view>& model_tables() {\n"
    text += "  static const std::vector<std::string_view> tables{\n"
    text += "".join(f"      {{k_{service}, {len(table)}}},\n" for service, table in tables.items())
    text += "  };\n  return tables;\n}\n\n}  // namespace securebase::aws\n"
    with open(output, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main()
