"""Moves functions within a section of code: those that are wanted first stand together at its end."""

import struct

import x86
from elf import Refused
from moves import Moves

BREAKPOINT = 0xCC


def plan(obj, section, wanted):
    """The moves for the wanted functions (indices of symbols, in order), and the section's new size."""
    size, pieces, seen = section.size, [], set()
    for index in wanted:
        start, length = obj.symbols[index][4:6]
        if length == 0 or start in seen:
            continue
        seen.add(start)
        # The compiler wants 32 for loops and says so nowhere but in the address.
        size += -size % (32 if start % 32 == 0 else 16)
        pieces.append((start, start + length, size))
        size += length
    return Moves(pieces), size


def move(obj, section, moves, size):
    """Carries out the moves. ILC leaves no relocation between functions of one section: their displacements are corrected here."""
    content = obj.content(section)
    relocations, holder = obj.relocations(section)
    result = moves.apply(content, size, BREAKPOINT)
    related = {offset for offset, _, _ in relocations}
    functions = {obj.symbols[i][4]: i for i in obj.symbols_in(section)}
    for start, index in functions.items():
        length = obj.symbols[index][5]
        own = moves.delta(start)
        for field, after in x86.displacements(content, start, start + length, obj.name(obj.symbols[index])):
            if field in related:
                related.discard(field)
                continue
            target = after + struct.unpack_from("<i", content, field)[0]
            if start <= target < start + length:
                continue
            if target not in functions:
                raise Refused(f"{obj.name(obj.symbols[index])}+{field - start:#x} leads into the middle of a function")
            change = moves.delta(target) - own
            if change:
                struct.pack_into("<i", result, field + own, target - after + change)
    if related:
        raise Refused(f"{section.name}: {len(related)} relocations are of no known instruction")
    obj.replace(section, result)
    obj.set_relocations(holder, [(moves.to(offset), info, addend) for offset, info, addend in relocations])
    obj.move_symbols(section, moves)
