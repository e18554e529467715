"""The line number program (DWARF 4, 6.2) of an object that has one unit and one sequence, for one section."""

import struct

from elf import ABSOLUTE_64, Refused


def append(obj, table, section, moves):
    """Appends a sequence for each piece of the section that moved, and returns their relocations. The old rows stay: they are
    of places where nothing is any more."""
    relocations, symbol = obj.relocations(table)[0], obj.section_symbol(section)
    content = bytearray(obj.content(table))
    length, version = struct.unpack_from("<IH", content)
    if (length + 4, version) != (len(content), 4):
        raise Refused(".debug_line is not one unit of DWARF 4")
    if len(relocations) > 1:
        raise Refused(".debug_line has more than one sequence")

    added, last = [], None
    for address, file, line in rows(bytes(content), struct.unpack_from("<I", content, 6)[0] + 10):
        piece = moves.piece(address)
        if piece != last:
            end_sequence(content, last, last and at)
            last, at, old_file, old_line = piece, address, 1, 1
            if piece:
                content += b"\x00\x09\x02"
                added.append((len(content), symbol << 32 | ABSOLUTE_64, moves.to(address)))
                content += bytes(8)
        if piece:
            content += b"\x02" + leb128(address - at) + b"\x04" + leb128(file) + b"\x03" + leb128(line - old_line, True) + b"\x01"
            at, old_line = address, line
    end_sequence(content, last, last and at)
    struct.pack_into("<I", content, 0, len(content) - 4)
    obj.replace(table, content)
    return added


def end_sequence(content, piece, at):
    if piece:
        content += b"\x02" + leb128(piece[1] - at) + b"\x00\x01\x01"


def rows(content, at):
    """(address, file, line) of each row of the program that starts at an offset."""
    minimum, _, _, base, span, first_special = struct.unpack_from("<BBBbBB", content, 10)
    address, file, line = 0, 1, 1
    while at < len(content):
        opcode = content[at]
        at += 1
        if opcode >= first_special:
            advance, step = divmod(opcode - first_special, span)
            address, line = address + advance * minimum, line + base + step
            yield address, file, line
        elif opcode == 0:
            length, at = number(content, at)
            if content[at] == 1:
                address, file, line = 0, 1, 1
            at += length
        elif opcode == 1:
            yield address, file, line
        elif opcode == 2:
            value, at = number(content, at)
            address += value * minimum
        elif opcode == 3:
            value, at = number(content, at, signed=True)
            line += value
        elif opcode == 4:
            file, at = number(content, at)
        elif opcode == 8:
            address += (255 - first_special) // span * minimum
        elif opcode == 9:
            address += struct.unpack_from("<H", content, at)[0]
            at += 2
        elif opcode in (5, 12):
            _, at = number(content, at)
        elif opcode not in (6, 7, 10, 11):
            raise Refused(f".debug_line has the opcode {opcode}")


def number(content, at, signed=False):
    """A LEB128 number and the offset behind it (DWARF 4, 7.6)."""
    value = shift = 0
    while True:
        byte = content[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value - (1 << shift if signed and byte & 64 else 0), at


def leb128(value, signed=False):
    result = bytearray()
    while not (-64 <= value < 64 if signed else 0 <= value < 128):
        result.append(value & 127 | 128)
        value >>= 7
    return bytes(result) + bytes([value & 127])
