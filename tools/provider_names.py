#!/usr/bin/env python3
"""Makes src/stack/provider/aws_names.txt: the names that the AWS provider knows, for telling a misspelling from a
setting that has no effect here.

Two npm packages are generated from the provider's schema, and only facts are taken from them. @cdktn/provider-aws tells
names, kinds and nesting, but not which arguments the provider fills when they are not written; that @pulumi/aws tells,
whose names are others: an argument that may be left out, and that always has a value when it is read. To make the file
anew:

    npm pack @cdktn/provider-aws && mkdir -p names && tar xzf cdktn-provider-aws-*.tgz -C names
    npm pack @pulumi/aws && mkdir -p filled && tar xzf pulumi-aws-*.tgz -C filled
    tools/provider_names.py names/package/lib filled/package > src/stack/provider/aws_names.txt

One line a type: `r` (resource) or `d` (data source), the type without `aws_`, then names with their kinds:
s string, n number, b bool, l list, m map, a anything; `*` behind it: only the provider sets it; `+`: the provider fills
it when it is not written; `name{...}` is a block, `name*{...}` one that only the provider sets, and `~` in it means that
its content is not listed.
"""
import glob
import os
import re
import sys

MOST_LINE = 9000  # bytes of one type; what is nested deeper than fits is left out
KINDS = {"String": "s", "Number": "n", "Boolean": "b", "List": "l", "NumberList": "l", "StringMap": "m",
         "NumberMap": "m", "BooleanMap": "m", "AnyMap": "m"}
CLASS = re.compile(r"^class (\w+) extends \w+\.(\w+) \{$", re.M)
GETTER = re.compile(r"get (\w+)\(\) \{\s*(?://[^\n]*\s*)?return [^;]*?this\.get(\w+?)Attribute\('(\w+)'\)")
ANY = re.compile(r"get (\w+)\(\) \{\s*(?://[^\n]*\s*)?return this\.interpolationForAttribute\('(\w+)'\)")
NESTED = re.compile(r"this\._(\w+) = new (?:(?:index_)?structs\w*\.)?(\w+)\(this, \"(\w+)\"")


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


def snake_less(name):
    return name.replace("_", "").lower()


# The members of an interface or class of a .d.ts, by name; `?` in front of the type when it may be left out.
MEMBER = re.compile(r"^    (?:readonly )?(\w+)(\??): ((?:[^;{]|\{[^}]*\})*);", re.M)


def filled_by_provider(package):
    """For each resource: its names by which it may be known, all its members, and those that are filled."""
    found = []
    for path in glob.glob(os.path.join(package, "*", "*.d.ts")):
        base = os.path.basename(path)[:-5]
        if base.startswith("get") or base == "index":
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        own = re.search(r"^export declare class (\w+) extends pulumi\.CustomResource \{$(.*?)^\}$", text, re.M | re.S)
        given = own and re.search(r"^export interface %sArgs \{$(.*?)^\}$" % own.group(1), text, re.M | re.S)
        if not given:
            continue
        read = {name: kind for name, _, kind in MEMBER.findall(own.group(2)) if kind.startswith("pulumi.Output")}
        optional = {name for name, mark, _ in MEMBER.findall(given.group(1)) if mark}
        filled = {snake_less(name) for name in optional & set(read) if not read[name].endswith("| undefined>")}
        module = os.path.basename(os.path.dirname(path)).lower()
        found.append((own.group(1).lower(), module, {snake_less(name) for name in read}, filled))
    return found


def mark_filled(names, type_name, resources):
    """Marks what the provider fills, by the resource that has the most members in common among those of a like name."""
    compact = snake_less(type_name)
    own = {snake_less(name) for name in names} - {"id", "tagsall"}
    best, best_share = None, 0
    for name, module, members_read, filled in resources:
        same = compact == module + name
        like = same or compact in (module, name) or compact.endswith(name) or (module + name).endswith(compact)
        # Lists bear the plural there.
        others = {other[:-1] if other.endswith("s") else other for other in members_read - {"tagsall"}}
        ours = {one[:-1] if one.endswith("s") else one for one in own}
        share = len(ours & others) / max(1, len(ours | others))
        if like and share > max(best_share, 0.3 if same else 0.55):
            best, best_share = filled, share
    if best is None:
        return False
    for name, kind in names.items():
        if isinstance(kind, str) and not kind.endswith("*") and snake_less(name) in best:
            names[name] = kind + "+"
    return True


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


def main(library, package):
    resources = filled_by_provider(package)
    lines, unmatched = [], []
    for folder in sorted(os.listdir(library)):
        path = os.path.join(library, folder, "index.js")
        if not os.path.exists(path) or folder == "provider":
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # The blocks of the largest types lie beside them.
        for part in sorted(glob.glob(os.path.join(library, folder, "index-structs", "*.js"))):
            with open(part, encoding="utf-8") as file:
                text += file.read()
        bodies = {name: body for name, _, body in classes(text)}
        for name, base, body in classes(text):
            kind = {"TerraformResource": "r", "TerraformDataSource": "d"}.get(base)
            type_name = re.search(r"%s\.tfResourceType = \"aws_(\w+)\"" % name, text)
            if not kind or not type_name:
                continue
            names = members(body, bodies, frozenset())
            if kind == "r" and not mark_filled(names, type_name.group(1), resources):
                unmatched.append(type_name.group(1))
            line = ""
            for depth in (6, 5, 4, 3, 2, 1, 0):
                line = f"{kind} {type_name.group(1)} {written(names, depth)}"
                if len(line) <= MOST_LINE:
                    break
            lines.append(line)
    print("\n".join(sorted(lines)))
    print(f"what the provider fills is not known of {', '.join(sorted(unmatched))}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
