"""Moves data within ILC's section .data: MethodTables and dictionaries that are wanted first stand together at its end.

ILC leaves no relocation for a 32-bit pointer within one section, relative to its own place. Where they are follows from the
kind of each node; a node that one of unknown kind might point to stays where it is.
"""

import bisect
import struct

from elf import ABSOLUTE_64, Refused
from moves import Moves

TABLE, DICTIONARY, CELL, INSTANCE = "_ZTV", "__GenericDict_", "__InterfaceDispatchCell_", "__GenericInstance_"
CLAUSES, STRING, FROZEN = "__ehinfo_", "__Str_", "__FrozenObj_"
MAP, SEALED = "__InterfaceDispatchMap_", "__SealedVTable_"
KNOWN = (TABLE, INSTANCE, CELL, CLAUSES)                     # kinds whose relative pointers can be found
MOVABLE = (TABLE, DICTIONARY, INSTANCE, MAP, SEALED)
CELL_SIZE = 16
CELL_TAG = 3                    # IDC_CachePointerIsInterfaceRelativePointer (rhbinder.h)
TYPED, FILTER = 0, 2            # kinds of exception clauses
HAS_POINTERS = 0x01000000       # MethodTable flag: a description of its pointers stands before it


class Nodes:
    """The section's nodes: where each starts, and what it is called."""

    def __init__(self, obj, section):
        self.content = obj.content(section)
        self.names = {}
        for index in obj.symbols_in(section):
            self.names.setdefault(obj.symbols[index][4], obj.name(obj.symbols[index]))
        self.offsets = sorted(self.names)
        self.next = dict(zip(self.offsets, self.offsets[1:] + [len(self.content)]))
        relocations, _ = obj.relocations(section)
        self.related = {offset: 8 if info & 0xFFFFFFFF == ABSOLUTE_64 else 4 for offset, info, _ in relocations}

    def word(self, form, offset):
        return struct.unpack_from(form, self.content, offset)[0]

    def target(self, offset, tag=0):
        """Where the relative pointer at an offset leads: a node's start; None if there is none."""
        value = self.word("<i", offset) - tag
        return offset + value if offset not in self.related and offset + value in self.names else None

    def start(self, offset):
        """Where a node's bytes begin: a MethodTable has a description of its pointers before it (GCDesc, gcdesc.h)."""
        if offset == len(self.content) or not self.names[offset].startswith(TABLE) or not self.word("<I", offset) & HAS_POINTERS:
            return offset
        series = self.word("<q", offset - 8)
        start = offset - (8 + 16 * series if series >= 0 else 16 - 8 * series)
        # A table that is only compared has the flag alone: what stands before it is the end of its neighbour.
        return start if start >= self.offsets[bisect.bisect_left(self.offsets, offset) - 1] else offset

    def pointers(self, offset):
        """Places of the node's relative pointers, if its kind is known to have them."""
        name, end = self.names[offset], self.start(self.next[offset])
        if name.startswith(TABLE):
            # struct MethodTable (MethodTable.h): 24 bytes, slots, interfaces; all behind is relative pointers.
            slots, interfaces = struct.unpack_from("<HH", self.content, offset + 16)
            places = range(offset + 24 + 8 * (slots + interfaces), end - 3, 4)
        elif name.startswith(INSTANCE):
            places = range(offset, end - 3, 4)
        elif name.startswith(CLAUSES):
            places = self.clauses(offset)
        elif name.startswith(CELL):
            places = [offset + 8]
        else:
            return []
        places = [place for place in places if place not in self.related and self.word("<i", place)]
        for place in places:
            if self.target(place, self.tag(offset)) is None:
                raise Refused(f"{name}+{place - offset:#x} is no pointer to a node: ILC lays it out in another way")
        return places

    def tag(self, offset):
        """What is added to the node's relative pointers."""
        return CELL_TAG if self.names[offset].startswith(CELL) else 0

    def clauses(self, offset):
        """Places of the types that an exception table catches (EHEnumInit and EHEnumNext in UnixNativeCodeManager.cpp)."""
        places = []
        count, offset = self.number(offset)
        for _ in range(count):
            _, offset = self.number(offset)
            kind, offset = self.number(offset)
            _, offset = self.number(offset)
            if kind & 3 == TYPED:
                places.append(offset)
                offset += 4
            elif kind & 3 == FILTER:
                _, offset = self.number(offset)
        return places

    def number(self, offset):
        """An unsigned number and the offset behind it (NativePrimitiveDecoder.h): its first byte tells how long it is."""
        length = next((bits for bits in range(4) if not self.content[offset] >> bits & 1), 4)
        if length == 4:
            return self.word("<I", offset + 1), offset + 5
        return int.from_bytes(self.content[offset:offset + length + 1], "little") >> length + 1, offset + length + 1


def used_by(obj, text, functions, section, nodes):
    """The nodes that functions name and all that those lead to, in the order of the functions."""
    relocations, _ = obj.relocations(text)
    relocations.sort()
    places = [offset for offset, _, _ in relocations]
    leads = {}
    for offset, info, _ in obj.relocations(section)[0]:
        symbol = obj.symbols[info >> 32]
        if symbol[3] == section.index:
            leads.setdefault(nodes.offsets[bisect.bisect_right(nodes.offsets, offset) - 1], []).append(symbol[4])
    found = {}
    for _, _, _, _, start, length in functions:
        named = [obj.symbols[info >> 32] for _, info, _ in relocations[bisect.bisect_left(places, start):bisect.bisect_left(places, start + length)]]
        waiting = [symbol[4] for symbol in named if symbol[3] == section.index]
        while waiting:
            offset = waiting.pop()
            if offset in found:
                continue
            found[offset] = None
            if nodes.names[offset].startswith((TABLE, DICTIONARY, INSTANCE, FROZEN)):
                waiting += leads.get(offset, [])
                waiting += [nodes.target(place) for place in nodes.pointers(offset)]
    return list(found)


def plan(nodes, wanted):
    """The moves for the wanted nodes (offsets, in order), the copies of cells, and the section's new size."""
    hot = [offset for offset in dict.fromkeys(wanted) if nodes.names[offset].startswith(MOVABLE)]
    fixed = suspected(nodes, set(hot))
    pieces, size = [*permuted(nodes, wanted)], len(nodes.content)
    for offset in hot:
        start, end = nodes.start(offset), nodes.start(nodes.next[offset])
        if offset not in fixed:
            size += (start - size) % 16
            pieces.append((start, end, size))
            size += end - start
    cells, size = copies(nodes, wanted, size)
    return Moves(pieces), cells, size


def permuted(nodes, wanted):
    """Strings may not leave the region that the collector knows: the wanted ones become its last, the
    first of them at the end, next to other data of a start."""
    strings = [offset for offset in nodes.offsets if nodes.names[offset].startswith(STRING) and nodes.names[nodes.next[offset]].startswith(STRING)]
    known, hot, at = set(strings), set(wanted), strings[0]
    last = [offset for offset in dict.fromkeys(wanted) if offset in known]
    for offset in [offset for offset in strings if offset not in hot] + last[::-1]:
        yield offset, nodes.next[offset], at
        at += nodes.next[offset] - offset


def copies(nodes, wanted, size):
    """Dispatch cells that are wanted, as (place, new place), and the section's new size. They stand in runs, each with a last cell that
    has no stub and tells the slot of all before it (InterfaceDispatchCell::GetDispatchCellInfo in rhbinder.h). So the wanted cells of a
    run make a run of their own, with a copy of its last cell, and the old run stays as it is."""
    runs = {}
    for cell in dict.fromkeys(wanted):
        if nodes.names[cell].startswith(CELL):
            last = cell
            while last in nodes.related:
                last += CELL_SIZE
            if nodes.word("<q", last) != 0:
                raise Refused(f"{nodes.names[cell]} is in no run of dispatch cells: ILC lays them out in another way")
            runs.setdefault(last, []).append(cell)
    size += -size % CELL_SIZE
    found = []
    for last, cells in runs.items():
        for cell in [*cells, last]:
            found.append((cell, size))
            size += CELL_SIZE
    return found, size


def suspected(nodes, moving):
    """Those of the nodes to be moved that a word of another node might point to, where it is not known whether it is a pointer."""
    found = set()
    for offset in nodes.offsets:
        if not nodes.names[offset].startswith((*KNOWN, STRING)):
            for place in range(offset, nodes.next[offset] - 3, 4):
                target = place + nodes.word("<i", place) & ~3
                if target in moving and place not in nodes.related and nodes.related.get(place - 4) != 8:
                    found.add(target)
    return found


def move(obj, section, nodes, moves, cells, size):
    """Carries out the moves, and the copies of dispatch cells."""
    result = moves.apply(nodes.content, size, 0)
    for offset in nodes.offsets:
        for place in nodes.pointers(offset):
            change = moves.delta(nodes.target(place, nodes.tag(offset))) - moves.delta(place)
            if change:
                struct.pack_into("<i", result, moves.to(place), nodes.word("<i", place) + change)
    for cell, new in cells:
        result[new:new + CELL_SIZE] = nodes.content[cell:cell + CELL_SIZE]
        if cell in nodes.related:
            struct.pack_into("<i", result, new + 8, moves.to(nodes.target(cell + 8, CELL_TAG)) + CELL_TAG - new - 8)
    obj.replace(section, result)
    relocations, holder = obj.relocations(section)
    place = dict(cells)
    stubs = [(place[offset], info, addend) for offset, info, addend in relocations if offset in place]
    obj.set_relocations(holder, [(moves.to(offset), info, addend) for offset, info, addend in relocations] + stubs)
    obj.move_symbols(section, Moves(moves.pieces + [(cell, cell + CELL_SIZE, new) for cell, new in cells if cell in nodes.related]))
