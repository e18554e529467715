"""Debugging information that names places by section and offset."""

import struct

from elf import Refused
import lines


def move(obj, section, moves, old_size):
    """Corrects what leads into the section, whose contents have moved already."""
    symbol = obj.section_symbol(section)
    for described in [other for other in obj.sections if other.name.startswith(".debug_")]:
        relocations, holder = obj.relocations(described)
        if not any(info >> 32 == symbol for _, info, _ in relocations):
            continue
        if described.name == ".debug_line":
            relocations += lines.append(obj, described, section, moves)
        elif described.name == ".debug_aranges":
            lengthen(obj, described, relocations, symbol, old_size, section.size)
        else:
            relocations = [*addends(described, relocations, symbol, moves, old_size, section.size)]
        obj.set_relocations(holder, relocations)


def addends(described, relocations, symbol, moves, old_size, size):
    begin = delta = None
    for offset, info, addend in relocations:
        if info >> 32 == symbol:
            if described.name == ".debug_ranges" and addend == old_size:
                addend = size
            elif described.name == ".debug_loc" and begin == offset - 8:
                # The end of a range may be where the next function begins: it goes where the range's begin went.
                addend, begin = addend + delta, None
            else:
                begin, delta = offset, moves.delta(addend)
                addend += delta
        yield offset, info, addend


def lengthen(obj, described, relocations, symbol, old_size, size):
    """.debug_aranges (DWARF 4, 6.1.2) has the section's start, with a relocation, and then its size."""
    for offset, info, _ in relocations:
        if info >> 32 == symbol:
            place = described.offset + offset + 8
            if obj.word("<Q", place) != old_size:
                raise Refused(".debug_aranges does not have the section's size")
            struct.pack_into("<Q", obj.data, place, size)
