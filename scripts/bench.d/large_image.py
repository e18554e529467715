"""Writes a gzip-compressed docker archive of about 150 MB: 20,000 files, half of their bytes incompressible.
Usage: large_image.py SEED FILE   (another seed gives other bytes in every file)"""

import gzip
import io
import os
import random
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "rootfs-fixtures", "lib"))
import archive  # noqa: E402

seed, path = int(sys.argv[1]), sys.argv[2]
source, layer_bytes = random.Random(seed), io.BytesIO()
with tarfile.open(fileobj=layer_bytes, mode="w") as layer:
    for number in range(20_000):
        half = source.randrange(100, 14_000)
        info = tarfile.TarInfo(f"data/{number // 200:03}/{number:05}")
        info.size, info.mtime = 2 * half, 1_700_000_000
        layer.addfile(info, io.BytesIO(source.randbytes(half) + (b"text of a file, again and again " * (half // 32 + 1))[:half]))
with gzip.open(path, "wb", compresslevel=1) as out:
    out.write(archive.docker_archive(f"bench-{seed}:latest", [layer_bytes.getvalue()]))
