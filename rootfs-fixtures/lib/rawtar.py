"""Writes tar archives header by header, so that they can hold what tar programs refuse to write."""

BLOCK = 512
RECORDS_END = b"\0" * (2 * BLOCK)


def _number(value, width):
    """Octal where it fits and is not negative, else GNU's base-256 form."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return bytes([0x80 if value >= 0 else 0xFF]) + (value % (1 << (8 * (width - 1)))).to_bytes(width - 1, "big")


def padding(size):
    return b"\0" * (-size % BLOCK)


def header(name, kind=b"0", mode=0o644, uid=0, gid=0, size=0, mtime=0, link=b"", major=0, minor=0, gnu_tail=None):
    """One header block. Name and link are cut to their fields: the whole value goes into a PAX record."""
    block = bytearray(BLOCK)

    def put(offset, data):
        block[offset:offset + len(data)] = data

    put(0, name[:100])
    put(100, _number(mode, 8))
    put(108, _number(uid, 8))
    put(116, _number(gid, 8))
    put(124, _number(size, 12))
    put(136, _number(mtime, 12))
    put(148, b" " * 8)
    put(156, kind)
    put(157, link[:100])
    if gnu_tail is None:
        put(257, b"ustar\0" + b"00")
        put(329, _number(major, 8))
        put(337, _number(minor, 8))
    else:
        put(257, b"ustar  \0")
        put(345, gnu_tail)
    put(148, b"%06o\0 " % sum(block))
    return bytes(block)


def pax_records(records):
    out = b""
    for key, value in records.items():
        body = b" " + key.encode() + b"=" + value + b"\n"
        length = len(body) + 1
        while len(str(length)) + len(body) != length:
            length = len(str(length)) + len(body)
        out += str(length).encode() + body
    return out


class Archive:
    """Entries in the order given. Names are bytes."""

    def __init__(self):
        self.parts = []

    def raw(self, data):
        self.parts.append(data)

    def entry(self, name, kind=b"0", data=b"", link=b"", mtime=1_700_000_000, pax=None, declared=None, **fields):
        """One entry. mtime is a number, or PAX text such as b"1.5". declared: a size other than the data's."""
        records = dict(pax or {})
        if isinstance(mtime, bytes):
            records["mtime"] = mtime
            mtime = 0
        if len(name) > 100:
            records["path"] = name
        if len(link) > 100:
            records["linkpath"] = link
        if records:
            body = pax_records(records)
            self.raw(header(b"PaxHeaders/entry", b"x", size=len(body)) + body + padding(len(body)))
        size = len(data) if declared is None else declared
        self.raw(header(name, kind, size=size, mtime=mtime, link=link, **fields) + data + padding(len(data)))

    def file(self, name, data=b"", **fields):
        self.entry(name, data=data, **fields)

    def directory(self, name, mode=0o755, **fields):
        self.entry(name + b"/", b"5", mode=mode, **fields)

    def symlink(self, name, target, **fields):
        self.entry(name, b"2", link=target, mode=0o777, **fields)

    def hardlink(self, name, target, **fields):
        self.entry(name, b"1", link=target, **fields)

    def bytes(self):
        return b"".join(self.parts) + RECORDS_END
