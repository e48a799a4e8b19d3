#!/usr/bin/env python3
"""Lists the public items of a crate from rustdoc's JSON, and checks whose types they expose.

usage: api.py list FILE.json           prints one line for each public item
       api.py external FILE.json CRATE…  fails if the items expose a type of another crate than these
"""

import json
import sys

STD = {"std", "core", "alloc"}


class Api:
    def __init__(self, file):
        with open(file, encoding="utf-8") as text:
            self.data = json.load(text)
        self.index = self.data["index"]
        self.lines = set()
        self.exposed = {}

    def item(self, number):
        return self.index.get(str(number))

    def read(self):
        root = self.item(self.data["root"])
        self.module(root, root["name"], set())
        return self

    def module(self, module, path, seen):
        for number in module["inner"]["module"]["items"]:
            item = self.item(number)
            if item is None or item["visibility"] != "public":
                continue
            self.public(item, path, item["name"], seen)

    def public(self, item, path, name, seen):
        kind, inner = next(iter(item["inner"].items()))
        if kind == "use":
            target = self.item(inner["id"]) if inner["id"] is not None else None
            if target is None:
                self.lines.add(f"use {path}::{inner['name']} = {inner['source']}")
            elif inner["is_glob"]:
                self.module(target, path, seen)
            else:
                self.public(target, path, inner["name"], seen)
            return
        here = f"{path}::{name}"
        if (item["id"], here) in seen:
            return
        seen.add((item["id"], here))
        if kind == "module":
            self.lines.add(f"mod {here}")
            self.module(item, here, seen)
        elif kind == "function":
            self.function(here, inner)
        elif kind in ("struct", "enum", "union"):
            self.lines.add(f"{kind} {here}{self.generics(inner)}")
            self.members(here, kind, inner)
            self.implementations(here, inner["impls"])
        elif kind == "trait":
            self.lines.add(f"trait {here}{self.generics(inner)}")
            for number in inner["items"]:
                member = self.item(number)
                member_kind, member_inner = next(iter(member["inner"].items()))
                if member_kind == "function":
                    self.function(f"{here}::{member['name']}", member_inner)
                else:
                    self.lines.add(f"{member_kind} {here}::{member['name']}")
        elif kind == "type_alias":
            self.lines.add(f"type {here} = {self.type(inner['type'], here)}")
        elif kind == "constant":
            self.lines.add(f"const {here}: {self.type(inner['type'], here)}")
        else:
            self.lines.add(f"{kind} {here}")

    def members(self, here, kind, inner):
        if kind == "enum":
            for number in inner["variants"]:
                variant = self.item(number)
                self.lines.add(f"variant {here}::{variant['name']}")
                self.fields(f"{here}::{variant['name']}", variant["inner"]["variant"]["kind"], True)
        else:
            self.fields(here, inner.get("kind", inner), False)

    def fields(self, here, kind, all_public):
        if not isinstance(kind, dict):
            return
        numbers = kind.get("tuple") or (kind.get("struct") or kind.get("plain") or {}).get("fields") or []
        for number in numbers:
            field = self.item(number) if number is not None else None
            if field and (all_public or field["visibility"] == "public"):
                self.lines.add(f"field {here}::{field['name']}: {self.type(field['inner']['struct_field'], here)}")

    def implementations(self, here, numbers):
        for number in numbers:
            found = self.item(number)
            if found is None:
                continue
            implemented = found["inner"]["impl"]
            if implemented["is_synthetic"] or implemented["blanket_impl"]:
                continue
            if implemented["trait"] is not None:
                self.lines.add(f"impl {implemented['trait']['path']} for {here}")
                self.args(implemented["trait"]["args"], here)
                continue
            for member_number in implemented["items"]:
                member = self.item(member_number)
                if member["visibility"] != "public":
                    continue
                kind, inner = next(iter(member["inner"].items()))
                if kind == "function":
                    self.function(f"{here}::{member['name']}", inner)
                else:
                    self.lines.add(f"{kind} {here}::{member['name']}")

    def function(self, here, inner):
        signature, header = inner["sig"], inner["header"]
        inputs = ", ".join(self.argument(name, type_, here) for name, type_ in signature["inputs"])
        output = f" -> {self.type(signature['output'], here)}" if signature["output"] else ""
        for parameter in inner["generics"]["params"]:
            self.parameter(parameter, here)
        is_async = "async " if header["is_async"] else ""
        self.lines.add(f"{is_async}fn {here}({inputs}){output}")

    def argument(self, name, type_, here):
        return self.type(type_, here).replace("Self", "self") if name == "self" else self.type(type_, here)

    def generics(self, inner):
        names = [parameter["name"] for parameter in inner["generics"]["params"]]
        return f"<{', '.join(names)}>" if names else ""

    def parameter(self, parameter, here):
        bounds = parameter["kind"].get("type", {}).get("bounds", []) if isinstance(parameter["kind"], dict) else []
        self.bounds(bounds, here)

    def bounds(self, bounds, here):
        names = []
        for bound in bounds:
            if "trait_bound" in bound:
                trait = bound["trait_bound"]["trait"]
                self.expose(trait["id"], trait["path"], here)
                names.append(trait["path"] + self.args(trait["args"], here))
        return " + ".join(names)

    def args(self, args, here):
        if not args:
            return ""
        if "angle_bracketed" in args:
            parts = [self.type(arg["type"], here) for arg in args["angle_bracketed"]["args"] if "type" in arg]
            for constraint in args["angle_bracketed"]["constraints"]:
                equality = constraint["binding"].get("equality", {})
                if "type" in equality:
                    parts.append(f"{constraint['name']} = {self.type(equality['type'], here)}")
            return f"<{', '.join(parts)}>" if parts else ""
        if "parenthesized" in args:
            inputs = ", ".join(self.type(type_, here) for type_ in args["parenthesized"]["inputs"])
            output = args["parenthesized"]["output"]
            return f"({inputs})" + (f" -> {self.type(output, here)}" if output else "")
        return ""

    def type(self, type_, here):
        kind, inner = next(iter(type_.items()))
        if kind == "resolved_path":
            self.expose(inner["id"], inner["path"], here)
            return inner["path"].split("::")[-1] + self.args(inner["args"], here)
        if kind in ("primitive", "generic"):
            return inner
        if kind == "borrowed_ref":
            return f"&{'mut ' if inner['is_mutable'] else ''}{self.type(inner['type'], here)}"
        if kind == "tuple":
            return f"({', '.join(self.type(one, here) for one in inner)})"
        if kind == "slice":
            return f"[{self.type(inner, here)}]"
        if kind == "array":
            return f"[{self.type(inner['type'], here)}; {inner['len']}]"
        if kind == "impl_trait":
            return f"impl {self.bounds(inner, here)}"
        if kind == "dyn_trait":
            bounds = [{"trait_bound": {"trait": one["trait"]}} for one in inner["traits"]]
            return f"dyn {self.bounds(bounds, here)}"
        if kind == "qualified_path":
            return f"{self.type(inner['self_type'], here)}::{inner['name']}"
        return kind

    def expose(self, number, path, here):
        known = self.data["paths"].get(str(number))
        if known is None or known["crate_id"] == 0:
            return
        name = self.data["external_crates"][str(known["crate_id"])]["name"]
        if name not in STD:
            self.exposed.setdefault(name, set()).add(f"{'::'.join(known['path'])} in {here}")


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("list", "external"):
        sys.exit(__doc__)
    api = Api(sys.argv[2]).read()
    if sys.argv[1] == "list":
        print("\n".join(sorted(api.lines)))
        return
    wrong = {name: places for name, places in api.exposed.items() if name not in sys.argv[3:]}
    for name, places in sorted(wrong.items()):
        print(f"the public items expose types of `{name}`:")
        print("".join(f"  {place}\n" for place in sorted(places)), end="")
    sys.exit(1 if wrong else 0)


main()
