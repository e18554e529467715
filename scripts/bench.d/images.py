"""Rows that move whole images: load and save here, pull and push by one docker-registry on loopback."""

import json
import os
import subprocess
import sys

from measuring import HULL, IMAGE_ROUNDS, Table, alternate, quiet, timed, top, work
from peers import Engines, daemon, write

PORT = 5055
REGISTRY = f"127.0.0.1:{PORT}"
CONTENT = f"{work}/registry/docker/registry/v2"

# What image_archive.py makes, and what to call it.
KINDS = {"files": "an image of 20,000 files", "python": "a python image of 500 MB"}
PROGRAMS = {"hull": HULL, "docker": "docker", "podman": "podman"}


def listening():
    with open("/proc/net/tcp", encoding="utf-8") as sockets:
        return any(f":{PORT:04X} 00000000:0000 0A" in line for line in sockets)


def serve():
    """Debian's docker-registry, once."""
    directory = f"{work}/registry"
    if not os.path.exists(directory):
        os.makedirs(directory)
        config = write("registry.yml", "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                       f"storage: {{filesystem: {{rootdirectory: {directory}}}}}\nhttp: {{addr: '{REGISTRY}'}}\n")
        daemon("registry", "docker-registry", "serve", config, ready=listening)


def made(kind, seed):
    """A gzip-compressed docker archive that no engine has seen, and its image's name."""
    path = f"{work}/image.tar.gz"
    # In a process of its own: a child's peak memory counts what its parent held when it was forked.
    subprocess.run([sys.executable, f"{top}/scripts/bench.d/image_archive.py", kind, str(seed), path], check=True)
    return path, f"bench-{kind}-{seed}:latest"


def load(engine, path):
    """Debian's podman 4.3 refuses a docker archive that is compressed; gzip works for it on the other processor."""
    return ["sh", "-c", f"gzip -dc {path} | podman load"] if engine == "podman" else [PROGRAMS[engine], "load", "-i", path]


def tables(title):
    return Table(title), Table("  peak resident set of that", "MB")


def untar(archives):
    """What unpacking alone takes: gzip and tar for each layer, all at once, each in a directory of its own."""
    script = f"set -e; d=$(mktemp -d {work}/untar.XXXXXX); i=0; for a; do i=$((i + 1)); mkdir $d/$i; gzip -dc $a | tar x -C $d/$i & done; wait"
    return ["bash", "-c", script, "untar", *archives]


def row_load():
    Engines.need(*PROGRAMS)
    for kind, words in KINDS.items():
        table, memory = tables(f"load of {words}, gzip-compressed")
        for number in range(-1, IMAGE_ROUNDS):
            # A new image every round, and nothing removed in between: for minutes after 20,000 files have gone, ext4 looks
            # at each of their inodes again before it makes a new file, and every engine would be timed at that.
            path, _ = made(kind, 2 + number)
            for engine in PROGRAMS:
                timed(number, engine, load(engine, path), table, memory)
            directory = f"{work}/untar/{kind}-{number}"
            os.makedirs(directory)
            # The layers are tars in the image's tar: two tars and one gzip are the same work without an engine.
            script = f"gzip -dc {path} | tar x -O --wildcards '*.tar' | tar x -i -C {directory}"
            timed(number, "gzip | tar x", ["sh", "-c", script], table)
        table.show({"docker": 0.6, "podman": 0.6})
        memory.show({"hull": 150})


def row_save():
    Engines.need(*PROGRAMS)
    archive = f"{work}/saved.tar"

    def fresh(_):
        # podman refuses to write over an archive.
        if os.path.exists(archive):
            os.remove(archive)

    for kind, words in KINDS.items():
        # Not a seed of row_load's, which loads images that no engine has yet.
        path, name = made(kind, 0)
        for engine in PROGRAMS:
            quiet(*load(engine, path))
        alternate(f"save of {words} to a file",
                  {engine: [program, "save", "-o", archive, name] for engine, program in PROGRAMS.items()},
                  {"docker": 0.6, "podman": 0.6}, before=fresh)


def source(*arguments):
    """hull on a store of its own, that of whoever published the image."""
    return quiet("env", f"HULL_DATA_ROOT={work}/hull-source", HULL, *arguments)


def blob(digest):
    algorithm, name = digest.split(":")
    return f"{CONTENT}/blobs/{algorithm}/{name[:2]}/{name}/data"


def layers_of(repository, tag):
    """The files in which the registry keeps the layers of an image."""
    with open(f"{CONTENT}/repositories/{repository}/_manifests/tags/{tag}/current/link", encoding="utf-8") as link:
        manifest = blob(link.read())
    with open(manifest, encoding="utf-8") as file:
        return [blob(layer["digest"]) for layer in json.load(file)["layers"]]


def remote(engine, verb, target):
    return [PROGRAMS[engine], verb, "-q", *(["--tls-verify=false"] if engine == "podman" else []), target]


def row_pull():
    Engines.need(*PROGRAMS)
    serve()
    for kind, words in KINDS.items():
        table, memory = tables(f"pull of {words} from loopback")
        for number in range(-1, IMAGE_ROUNDS):
            # A new image every round, as in the row load.
            path, name = made(kind, 100 + number)
            source("load", "-i", path)
            repository, tag = f"pulled-{kind}", str(number + 1)
            target = f"{REGISTRY}/{repository}:{tag}"
            source("tag", name, target)
            source("push", "-q", target)
            for engine in PROGRAMS:
                timed(number, engine, remote(engine, "pull", target), table, memory)
            timed(number, "gzip | tar x", untar(layers_of(repository, tag)), table)
        table.show({"docker": 0.5, "podman": 0.5})
        memory.show({"hull": 150})


def row_push():
    Engines.need(*PROGRAMS)
    serve()
    for kind, words in KINDS.items():
        table, memory = tables(f"push of {words} to loopback")
        for number in range(-1, IMAGE_ROUNDS):
            for position, engine in enumerate(PROGRAMS):
                # Bytes of its own for each engine: what one has pushed the registry would have for the next.
                path, name = made(kind, 1000 + 3 * number + position)
                quiet(*load(engine, path))
                target = f"{REGISTRY}/pushed-{kind}-{engine}:{number + 1}"
                quiet(PROGRAMS[engine], "tag", name, target)
                timed(number, engine, remote(engine, "push", target), table, memory)
        table.show({"docker": 0.6, "podman": 0.6})
        memory.show({"hull": 150})
