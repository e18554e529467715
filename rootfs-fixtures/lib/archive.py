"""Wraps layer tars into a docker archive."""

import hashlib
import json
import platform

import rawtar


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def config_for(layers, config=None, architecture=None):
    """The image configuration document over these layer tars."""
    here = "arm64" if platform.machine() == "aarch64" else "amd64"
    return {
        "architecture": architecture or here, "os": "linux", "created": "2023-11-14T22:13:20Z",
        "config": config or {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(layer) for layer in layers]},
    }


def docker_archive(name, layers, config=None, document=None, manifest=None):
    """The bytes of an archive as `docker save` writes it. document and manifest replace what would be right."""
    body = json.dumps(document if document is not None else config_for(layers, config)).encode()
    config_name = sha256(body) + ".json"
    names = [sha256(layer) + ".tar" for layer in layers]
    if manifest is None:
        manifest = [{"Config": config_name, "RepoTags": [name], "Layers": names}]
    out = rawtar.Archive()
    out.file(b"manifest.json", json.dumps(manifest).encode())
    out.file(config_name.encode(), body)
    for layer_name, layer in dict(zip(names, layers)).items():
        out.file(layer_name.encode(), layer)
    return out.bytes()
