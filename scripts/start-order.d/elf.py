"""An ELF relocatable object of 64 bits, little-endian (elf(5)), read, changed in place and lengthened."""

import struct

SECTION_TYPE = 3
X86_64 = 62
ABSOLUTE_64 = 1     # R_X86_64_64


class Refused(Exception):
    """The object is not what this program knows how to change."""


class Section:
    """A section header and where it stands in the file."""

    def __init__(self, index, header_at, fields, name):
        self.index, self.header_at, self.name = index, header_at, name
        self.type, self.offset, self.size, self.target = fields[1], fields[4], fields[5], fields[7]


class Object:
    """The whole file in memory. Old contents of a section that grew stay in the file, unused."""

    RELOCATION = struct.Struct("<QQq")
    HEADER = struct.Struct("<IIQQQQIIQQ")
    SYMBOL = struct.Struct("<IBBHQQ")

    def __init__(self, data):
        self.data = bytearray(data)
        if self.data[:6] != b"\x7fELF\x02\x01" or self.word("<H", 16) != 1 or self.word("<H", 18) != X86_64:
            raise Refused("not a relocatable object for x86-64")
        headers, count, names = self.word("<Q", 40), self.word("<H", 60), self.word("<H", 62)
        raw = [self.HEADER.unpack_from(self.data, headers + 64 * i) for i in range(count)]
        self.sections = [Section(i, headers + 64 * i, fields, self.text(raw[names][4] + fields[0])) for i, fields in enumerate(raw)]
        self.table = self.section(".symtab")
        self.strings = self.section(".strtab").offset
        self.symbols = list(self.SYMBOL.iter_unpack(self.content(self.table)))

    def word(self, form, offset):
        return struct.unpack_from(form, self.data, offset)[0]

    def text(self, offset):
        return self.data[offset:self.data.index(0, offset)].decode()

    def name(self, symbol):
        return self.text(self.strings + symbol[0])

    def section(self, name):
        for section in self.sections:
            if section.name == name:
                return section
        raise Refused(f"there is no section {name}")

    def content(self, section):
        return bytes(self.data[section.offset:section.offset + section.size])

    def replace(self, section, content):
        """Gives the section new contents; longer ones go to the end of the file."""
        if len(content) > section.size:
            self.data.extend(bytes(-len(self.data) % 64))
            section.offset = len(self.data)
            self.data.extend(content)
        else:
            self.data[section.offset:section.offset + len(content)] = content
        section.size = len(content)
        struct.pack_into("<QQ", self.data, section.header_at + 24, section.offset, section.size)

    def relocations(self, section):
        """The section's relocations as (offset, symbol << 32 | type, addend), and the section that holds them."""
        holder = next((other for other in self.sections if other.type == 4 and other.target == section.index), None)
        return ([], None) if holder is None else (list(self.RELOCATION.iter_unpack(self.content(holder))), holder)

    def set_relocations(self, holder, relocations):
        if holder is not None:
            self.replace(holder, b"".join([self.RELOCATION.pack(*fields) for fields in relocations]))

    def symbols_in(self, section):
        """Indices of the section's named symbols."""
        return [i for i, symbol in enumerate(self.symbols) if symbol[3] == section.index and symbol[1] & 15 != SECTION_TYPE]

    def section_symbol(self, section):
        return next((i for i, symbol in enumerate(self.symbols) if symbol[3] == section.index and symbol[1] & 15 == SECTION_TYPE), None)

    def move_symbols(self, section, moves):
        for i in self.symbols_in(section):
            symbol = self.symbols[i]
            value = moves.to(symbol[4])
            if value != symbol[4]:
                self.symbols[i] = (*symbol[:4], value, symbol[5])
                struct.pack_into("<Q", self.data, self.table.offset + 24 * i + 8, value)
