"""Writes an image as a gzip-compressed docker archive. Another seed gives other layers, so that no engine has them yet.
Usage: image_archive.py files|python SEED FILE
  files   one layer of 20,000 files, 280 MB, half of the bytes incompressible
  python  the three layers of rootfs-fixtures/python-full, some 500 MB, each with a file that holds the seed before the rest"""

import gzip
import io
import os
import random
import sys
import tarfile

sys.dont_write_bytecode = True
TOP = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(TOP, "rootfs-fixtures", "lib"))
import archive  # noqa: E402


def entry(name, data):
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), 1_700_000_000
    return info.tobuf(tarfile.PAX_FORMAT) + data + b"\0" * (-len(data) % tarfile.BLOCKSIZE)


def files(seed):
    source, layer = random.Random(seed), io.BytesIO()
    for number in range(20_000):
        half = source.randrange(100, 14_000)
        text = (b"text of a file, again and again " * (half // 32 + 1))[:half]
        layer.write(entry(f"data/{number // 200:03}/{number:05}", source.randbytes(half) + text))
    layer.write(b"\0" * 2 * tarfile.BLOCKSIZE)
    return [layer.getvalue()]


def python(seed):
    with tarfile.open(os.path.join(TOP, "out", "fixtures", "python-full.tar")) as image:
        layers = [image.extractfile(member).read() for member in image if member.name.endswith(".tar")]
    return [entry(f"seed-of-layer-{number}", b"%d" % seed) + layer for number, layer in enumerate(layers)]


kind, number, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with gzip.open(path, "wb", compresslevel=1) as out:
    out.write(archive.docker_archive(f"bench-{kind}-{number}:latest", {"files": files, "python": python}[kind](number)))
