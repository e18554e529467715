"""Rows about registries: pull and push, each engine against one docker-registry on loopback."""

import glob
import os
import subprocess
import sys

from measuring import HULL, IMAGE_ROUNDS, Table, quiet, timed, top, work
from peers import Engines, daemon, write

PORT = 5055
REGISTRY = f"127.0.0.1:{PORT}"
CONTENT = f"{work}/registry"


def listening():
    with open("/proc/net/tcp", encoding="utf-8") as sockets:
        return any(f":{PORT:04X} 00000000:0000 0A" in line for line in sockets)


def serve():
    """Debian's docker-registry, once."""
    if not os.path.exists(CONTENT):
        os.makedirs(CONTENT)
        config = write("registry.yml", "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                       f"storage: {{filesystem: {{rootdirectory: {CONTENT}}}}}\nhttp: {{addr: '{REGISTRY}'}}\n")
        daemon("registry", "docker-registry", "serve", config, ready=listening)


def made(seed):
    """An image of 20,000 files for docker load, and its name; see large_image.py."""
    path = f"{work}/large-{seed}.tar.gz"
    subprocess.run([sys.executable, f"{top}/scripts/bench.d/large_image.py", str(seed), path], check=True)
    return path, f"bench-{seed}:latest"


def source(*arguments):
    """hull on a store of its own, that of whoever published the image."""
    return quiet("env", f"HULL_DATA_ROOT={work}/hull-source", HULL, *arguments)


def layer_of_last_push():
    """The largest of the three blobs that came last: layer, configuration, manifest."""
    blobs = glob.glob(f"{CONTENT}/docker/registry/v2/blobs/sha256/*/*/data")
    return max(sorted(blobs, key=os.path.getmtime)[-3:], key=os.path.getsize)


def row_pull():
    Engines.need("hull", "docker", "podman")
    serve()
    table, memory = Table("pull of an image of 20,000 files from loopback"), Table("  peak resident set of that", "MB")
    for number in range(-1, IMAGE_ROUNDS):
        # A new image every round, as in the row load.
        path, name = made(100 + number)
        source("load", "-i", path)
        os.unlink(path)
        target = f"{REGISTRY}/pulled:{number + 1}"
        source("tag", name, target)
        source("push", "-q", target)
        layer = layer_of_last_push()
        for engine, command in (("hull", [HULL, "pull", "-q", target]), ("docker", ["docker", "pull", "-q", target]),
                                ("podman", ["podman", "pull", "-q", "--tls-verify=false", target])):
            timed(number, engine, command, table, memory)
        directory = f"{work}/untar-pull/{number}"
        os.makedirs(directory)
        timed(number, "gzip | tar x", ["sh", "-c", f"gzip -dc {layer} | tar x -C {directory}"], table)
    table.show({"docker": 0.5, "podman": 0.5})
    memory.show({"hull": 150})


def row_push():
    Engines.need("hull", "docker", "podman")
    serve()
    table, memory = Table("push of an image of 20,000 files to loopback"), Table("  peak resident set of that", "MB")
    for number in range(-1, IMAGE_ROUNDS):
        for position, engine in enumerate(("hull", "docker", "podman")):
            # Bytes of its own for each engine: what one has pushed the registry would have for the next.
            path, name = made(1000 + 3 * number + position)
            program = {"hull": HULL}.get(engine, engine)
            quiet("sh", "-c", f"gzip -dc {path} | {program} load")
            os.unlink(path)
            target = f"{REGISTRY}/pushed-{engine}:{number + 1}"
            quiet(program, "tag", name, target)
            timed(number, engine, [program, "push", "-q", *(["--tls-verify=false"] if engine == "podman" else []), target], table, memory)
    table.show({"docker": 0.6, "podman": 0.6})
    memory.show({"hull": 150})
