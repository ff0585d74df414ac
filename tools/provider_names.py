#!/usr/bin/env python3
"""Makes src/stack/provider/aws_names.txt: the names that the AWS provider knows, for telling a misspelling from a
setting that has no effect here.

The npm package @cdktf/provider-aws is generated from the provider's schema; only the facts (names, kinds, nesting)
are taken from it. To make the file anew:

    npm pack @cdktf/provider-aws && tar xzf cdktf-provider-aws-*.tgz
    tools/provider_names.py package/lib > src/stack/provider/aws_names.txt

One line a type: `r` (resource) or `d` (data source), the type without `aws_`, then names with their kinds:
s string, n number, b bool, l list, m map, a anything; `*` behind it: only the provider sets it; `name{...}` is a
block, `name*{...}` one that only the provider sets, and `~` in it means that its content is not listed.
"""
import os
import re
import sys

MOST_LINE = 9000  # bytes of one type; what is nested deeper than fits is left out
KINDS = {"String": "s", "Number": "n", "Boolean": "b", "List": "l", "NumberList": "l", "StringMap": "m",
         "NumberMap": "m", "BooleanMap": "m", "AnyMap": "m"}
CLASS = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{$", re.M)
GETTER = re.compile(r"get (\w+)\(\) \{\s*(?://[^\n]*\s*)?return [^;]*?this\.get(\w+?)Attribute\('(\w+)'\)")
ANY = re.compile(r"get (\w+)\(\) \{\s*(?://[^\n]*\s*)?return this\.interpolationForAttribute\('(\w+)'\)")
NESTED = re.compile(r"this\._(\w+) = new (\w+)\(this, \"(\w+)\"")


def classes(text):
    found = list(CLASS.finditer(text))
    for i, match in enumerate(found):
        end = found[i + 1].start() if i + 1 < len(found) else len(text)
        yield match.group(1), match.group(2), text[match.start():end]


def members(body, bodies, seen):
    names = {}
    for camel, kind, snake in GETTER.findall(body):
        settable = re.search(r"set %s\(" % re.escape(camel), body)
        names[snake] = KINDS.get(kind, "a") + ("" if settable else "*")
    for camel, snake in ANY.findall(body):
        names[snake] = "a" + ("" if re.search(r"set %s\(" % re.escape(camel), body) else "*")
    for camel, kind, snake in NESTED.findall(body):
        if snake == "timeouts":
            continue
        inner = kind[:-4] + "OutputReference" if kind.endswith(("List", "Map")) else kind
        settable = re.search(r"put%s%s\(" % (camel[0].upper(), re.escape(camel[1:])), body)
        content = None if inner in seen or inner not in bodies else members(bodies[inner], bodies, seen | {inner})
        names[snake] = ("" if settable else "*", content)
    names.pop("tags_all", None)
    return names


def written(names, depth):
    parts = []
    for name, kind in sorted(names.items()):
        if isinstance(kind, str):
            parts.append(f"{name}:{kind}")
        else:
            mark, content = kind
            inner = "~" if content is None or depth == 0 else written(content, depth - 1)
            parts.append(f"{name}{mark}{{{inner}}}")
    return " ".join(parts)


def main(library):
    lines = []
    for folder in sorted(os.listdir(library)):
        path = os.path.join(library, folder, "index.js")
        if not os.path.exists(path) or folder == "provider":
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        bodies = {name: body for name, _, body in classes(text)}
        for name, base, body in classes(text):
            kind = {"TerraformResource": "r", "TerraformDataSource": "d"}.get(base)
            type_name = re.search(r"%s\.tfResourceType = \"aws_(\w+)\"" % name, text)
            if not kind or not type_name:
                continue
            names = members(body, bodies, frozenset())
            line = ""
            for depth in (6, 5, 4, 3, 2, 1, 0):
                line = f"{kind} {type_name.group(1)} {written(names, depth)}"
                if len(line) <= MOST_LINE:
                    break
            lines.append(line)
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main(sys.argv[1])
