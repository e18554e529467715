"""Writes what one tar has beyond others, as the layer that lies upon them.
Usage: layers.py UPPER.tar OUT.tar LOWER.tar...   (what only a lower one has is not taken away)"""

import sys
import tarfile


def kind(entry):
    """What two entries have in common that are the same file to a reader of both archives."""
    return entry.type, entry.mode, entry.uid, entry.gid, entry.size, entry.mtime, entry.linkname


upper, out, *lowers = sys.argv[1:]
below = {}
for lower in lowers:
    with tarfile.open(lower) as archive:
        below.update((entry.name, kind(entry)) for entry in archive)
with tarfile.open(upper) as archive, tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as layer:
    for entry in archive:
        # A hard link's file is in the same layer, or is below already.
        if below.get(entry.name) != kind(entry):
            layer.addfile(entry, archive.extractfile(entry) if entry.isreg() else None)
