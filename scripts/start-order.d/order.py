"""Puts together, in an object of ILC's, what a start of the program uses.
Usage: order.py OBJECT ORDER RESULT SCRIPT
ORDER has names of functions, one a line, in the order wanted (scripts/generate-start-order); those that are not there are ignored.
Their data follows from them. RESULT is the object to be linked, SCRIPT the linker script to link it with."""

import re
import struct
import sys

import functions
import data
import debug
from elf import Object, Refused


def order(obj, names):
    rank = {name: number for number, name in enumerate(names)}
    text, objects = obj.section("__managedcode"), obj.section(".data")
    for section in obj.sections:
        if not section.name.startswith(".debug_"):
            named = {info >> 32 for _, info, _ in obj.relocations(section)[0]}
            for moved in (text, objects):
                if obj.section_symbol(moved) in named:
                    raise Refused(f"{section.name}: a relocation names {moved.name} and no symbol")
    ranked = sorted((rank[obj.name(obj.symbols[i])], i) for i in obj.symbols_in(text) if obj.name(obj.symbols[i]) in rank)
    wanted = [i for _, i in ranked]

    # Before they move: relocations name places in the old order.
    nodes = data.Nodes(obj, objects)
    used = data.used_by(obj, text, [obj.symbols[i] for i in wanted], objects, nodes)

    old_size = text.size
    moves, size = functions.plan(obj, text, wanted)
    functions.move(obj, text, moves, size)
    debug.move(obj, text, moves, old_size)

    old_size = objects.size
    moves, cells, size = data.plan(nodes, used)
    data.move(obj, objects, nodes, moves, cells, size)
    debug.move(obj, objects, moves, old_size)


def script(obj, names):
    """The linker's part: functions of the .NET runtime's own libraries, each in a section of its name (ld(1), INSERT)."""
    own = {obj.name(symbol) for symbol in obj.symbols}
    lines = [f"    *(.text.{name})\n" for name in names if re.fullmatch(r"\w+", name) and name not in own]
    return "SECTIONS\n{\n  .text.start : {\n" + "".join(lines) + "  }\n}\nINSERT AFTER .text;\n"


def main(source, names, result, linker_script):
    with open(source, "rb") as file:
        content = file.read()
    with open(names, encoding="utf-8") as file:
        wanted = file.read().splitlines()
    try:
        obj = Object(content)
        order(obj, wanted)
    except (Refused, struct.error, IndexError, ValueError) as error:
        # In the form that MSBuild shows as an error. An object that is cut short ends in one of the others.
        sys.exit(f"{source} : error ORDER1: cannot be put in order: {error}; delete it and build again, "
                 "or link it as it is with -p:HullStartOrder=false")
    with open(linker_script, "w", encoding="utf-8") as file:
        file.write(script(obj, wanted))
    with open(result, "wb") as file:
        file.write(obj.data)


if __name__ == "__main__":
    main(*sys.argv[1:])
