"""Finds the 32-bit displacements in x86-64 code: calls, jumps and operands relative to the next instruction."""

import re

from elf import Refused


def _set(values):
    return b"[" + b"".join(b"\\x%02x" % value for value in values) + b"]"


def _modrm(registers=range(8)):
    """A ModRM byte and what follows it, but for operands relative to the instruction pointer (Intel SDM vol. 2, 2.1.5)."""
    def first(mod, low):
        return _set([mod << 6 | register << 3 | rm for register in registers for rm in low])
    without_sib = [rm for rm in range(8) if rm != 4]
    sib, sib_address = _set([b for b in range(256) if b & 7 != 5]), _set([b for b in range(256) if b & 7 == 5])
    return b"(?:" + b"|".join([
        first(3, range(8)), first(0, [0, 1, 2, 3, 6, 7]), first(0, [4]) + b"(?:" + sib + b"|" + sib_address + b".{4})",
        first(1, without_sib) + b".", first(1, [4]) + b"..", first(2, without_sib) + b".{4}", first(2, [4]) + b".{5}"]) + b")"


def _relative(registers=range(8)):
    return _set([register << 3 | 5 for register in registers]) + b"(.{4})"


def _rows(*ranges):
    return [value for first, last in ranges for value in range(first, last + 1)]


_ARITHMETIC = [row << 3 | column for row in range(8) for column in range(4)]
_WITH_BYTE = _rows((0x70, 0x73)) + [0xC2, 0xC4, 0xC5, 0xC6]
_TWO_PLAIN = [value for value in range(256) if value not in _WITH_BYTE + _rows((0x80, 0x8F), (0xC8, 0xCF)) + [
    0x05, 0x0B, 0x31, 0x38, 0x3A, 0x77, 0xA2, 0xA4, 0xAC, 0xBA]]
_VEX_PLAIN = [value for value in range(256) if value not in _WITH_BYTE + [0x77]]
_LEGACY = b"[\\x2e\\x3e\\x64\\x65\\xf0\\xf2\\xf3]*"
_SHORT = b"(?:" + _LEGACY + b"\\x66" + _LEGACY + b"[\\x40-\\x4f]?)"     # operands of 16 bits
_LONG = b"(?:" + _LEGACY + b"[\\x40-\\x4f]?)"
_ANY = b"(?:[\\x2e\\x3e\\x64\\x65\\x66\\xf0\\xf2\\xf3]*[\\x40-\\x4f]?)"
_WIDE = b"(?:" + _LEGACY + b"[\\x48-\\x4f])"
_NARROW = b"(?:" + _LEGACY + b"[\\x40-\\x47]?)"
# VEX and EVEX prefixes by opcode map (Intel SDM vol. 2, 2.3.5 and 2.7.1).
_V1 = b"(?:\\xc5.|\\xc4" + _set([v for v in range(256) if v & 31 == 1]) + b".)"
_VN = {n: b"(?:\\xc4" + _set([v for v in range(256) if v & 31 == n]) + b".|\\x62" + _set([v for v in range(256) if v & 15 == n]) + b"..)" for n in (2, 3)}
_E1 = b"\\x62" + _set([v for v in range(256) if v & 15 == 1]) + b".."

# (prefix, opcode, registers that ModRM may name, bytes that follow).
_MODRM = [
    (_ANY, _set(_ARITHMETIC + _rows((0x84, 0x8B), (0xD0, 0xD3)) + [0x63, 0x8D, 0x8F, 0xFE, 0xFF]), range(8), 0),
    (_ANY, b"[\\xf6\\xf7]", range(2, 8), 0),
    (_ANY, b"[\\x6b\\x80\\x83\\xc0\\xc1\\xc6]", range(8), 1), (_ANY, b"\\xf6", [0, 1], 1),
    (_SHORT, b"[\\x69\\x81\\xc7]", range(8), 2), (_SHORT, b"\\xf7", [0, 1], 2),
    (_LONG, b"[\\x69\\x81\\xc7]", range(8), 4), (_LONG, b"\\xf7", [0, 1], 4),
    (_ANY, b"\\x0f" + _set(_TWO_PLAIN), range(8), 0), (_ANY, b"\\x0f" + _set(_WITH_BYTE + [0xA4, 0xAC, 0xBA]), range(8), 1),
    (_ANY, b"\\x0f\\x38.", range(8), 0), (_ANY, b"\\x0f\\x3a.", range(8), 1),
    (_V1, _set(_VEX_PLAIN), range(8), 0), (_V1, _set(_WITH_BYTE), range(8), 1), (_VN[2], b".", range(8), 0), (_VN[3], b".", range(8), 1),
    (_E1, _set(_VEX_PLAIN), range(8), 0), (_E1, _set(_WITH_BYTE), range(8), 1)]

_PLAIN = b"|".join([prefix + opcode + _modrm(registers) + b".{%d}" % more for prefix, opcode, registers, more in _MODRM] + [
    _ANY + _set(_rows((0x50, 0x5F), (0x90, 0x99), (0x9B, 0x9F), (0xA4, 0xA7), (0xAA, 0xAF)) + [0xC3, 0xC9, 0xCC, 0xF4]),
    _ANY + _set([row << 3 | 4 for row in range(8)] + _rows((0x70, 0x7F), (0xB0, 0xB7)) + [0x6A, 0xA8, 0xEB, 0xE3]) + b".",
    _SHORT + _set([row << 3 | 5 for row in range(8)] + _rows((0xB8, 0xBF)) + [0x68, 0xA9]) + b"..",
    _LONG + _set([row << 3 | 5 for row in range(8)] + [0x68, 0xA9]) + b".{4}",
    _NARROW + b"[\\xb8-\\xbf].{4}", _WIDE + b"[\\xb8-\\xbf].{8}", b"\\xc2..",
    _ANY + b"\\x0f[\\x05\\x0b\\x31\\x77\\xa2\\xc8-\\xcf]", b"\\xc5.\\x77"])
_RELATIVE = b"|".join([_ANY + b"[\\xe8\\xe9](.{4})", b"\\x0f[\\x80-\\x8f](.{4})"] + [
    prefix + opcode + _relative(registers) + b".{%d}" % more for prefix, opcode, registers, more in _MODRM])
_NEXT = re.compile(b"(?:" + _PLAIN + b")*(?:" + _RELATIVE + b")?", re.DOTALL)


def displacements(code, start, end, name):
    """Yields (offset of the four bytes, offset of the next instruction) for each of them between start and end."""
    while start < end:
        match = _NEXT.match(code, start, end)
        if match.lastindex is None:
            if match.end() != end:
                raise Refused(f"{name}: no known instruction at +{match.end():#x}: {code[match.end():match.end() + 12].hex()}")
            return
        start = match.end()
        yield match.start(match.lastindex), start
