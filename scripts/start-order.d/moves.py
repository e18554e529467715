"""Which pieces of a section stand elsewhere afterwards."""

import bisect


class Moves:
    """Pieces (start, end) with their new starts. What is in no piece stays where it was."""

    def __init__(self, pieces):
        self.pieces = sorted(pieces)
        self.starts = [start for start, _, _ in self.pieces]

    def piece(self, offset):
        """The piece that an offset lies in, or None."""
        i = bisect.bisect_right(self.starts, offset) - 1
        return self.pieces[i] if i >= 0 and offset < self.pieces[i][1] else None

    def delta(self, offset):
        """How far what stands at an offset moves."""
        piece = self.piece(offset)
        return piece[2] - piece[0] if piece else 0

    def to(self, offset):
        return offset + self.delta(offset)

    def apply(self, content, size, fill):
        """The section's new contents, `size` bytes; places that were left are filled with one byte."""
        result = bytearray(content)
        result.extend(bytes([fill]) * (size - len(content)))
        for start, end, _ in self.pieces:
            result[start:end] = bytes([fill]) * (end - start)
        for start, end, new in self.pieces:
            result[new:new + end - start] = content[start:end]
        return result
