"""hull's peers, each prepared when a row first needs it, in directories of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from measuring import ENV, HULL, quiet, top, work

# An address of the host's own, beside the loopback's.
HOST = "10.254.254.1"

started = []


def write(name, text):
    with open(f"{work}/{name}", "w", encoding="utf-8") as file:
        file.write(text)
    return f"{work}/{name}"


def daemon(name, *arguments, ready):
    log = open(f"{work}/{name}.log", "wb")
    process = subprocess.Popen(arguments, env=ENV, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    started.append(process)
    for _ in range(300):
        if ready():
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    with open(f"{work}/{name}.log", encoding="utf-8", errors="replace") as text:
        sys.exit(f"bench: {name} does not start\n{text.read()[-2000:]}")


class Engines:
    """What each engine needs before it can run busybox. Each is prepared at most once."""

    done = set()

    @classmethod
    def need(cls, *names):
        for name in names:
            if name not in cls.done:
                cls.done.add(name)
                getattr(cls, name)()

    @staticmethod
    def hull():
        quiet(HULL, "load", "-i", f"{top}/out/fixtures/busybox.tar")

    @staticmethod
    def docker():
        config = write("containerd.toml", f'version = 2\nroot = "{work}/containerd"\nstate = "{work}/containerd-run"\n'
                       f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{work}/containerd.sock"\n')
        daemon("containerd", "containerd", "--config", config, ready=lambda: os.path.exists(f"{work}/containerd.sock"))
        daemon("dockerd", "/usr/sbin/dockerd", "--data-root", f"{work}/docker", "--exec-root", f"{work}/docker-run", "--pidfile", f"{work}/docker.pid",
               "--host", ENV["DOCKER_HOST"], "--containerd", f"{work}/containerd.sock", "--exec-opt", "native.cgroupdriver=cgroupfs",
               "--storage-driver", "overlay2",
               ready=lambda: subprocess.run(["docker", "version"], env=ENV, check=False, capture_output=True).returncode == 0)
        quiet("docker", "load", "-i", f"{top}/out/fixtures/busybox.tar")

    @staticmethod
    def podman():
        write("containers.conf", '[containers]\ndefault_ulimits = ["nofile=1024:20000", "nproc=1024:32768"]\n[network]\n'
              f'network_config_dir = "{work}/podman-net"\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "crun"\n'
              f'static_dir = "{work}/podman/libpod"\ntmp_dir = "{work}/podman-tmp"\nvolume_path = "{work}/podman/volumes"\n')
        write("storage.conf", f'[storage]\ndriver = "overlay"\ngraphroot = "{work}/podman"\nrunroot = "{work}/podman-run"\n')
        quiet("podman", "load", "-i", f"{top}/out/fixtures/busybox.tar")

    @staticmethod
    def bundle():
        os.makedirs(f"{work}/bundle", exist_ok=True)
        shutil.copytree(f"{top}/out/fixtures/busybox.rootfs", f"{work}/bundle/rootfs", symlinks=True)
        subprocess.run(["runc", "spec", "--bundle", f"{work}/bundle"], check=True)
        with open(f"{work}/bundle/config.json", encoding="utf-8") as file:
            spec = json.load(file)
        spec["process"]["terminal"] = False
        spec["process"]["args"] = ["true"]
        spec["process"].pop("rlimits", None)
        # The six namespaces that every default container has; runc spec leaves the cgroup one out on v1.
        spec["linux"]["namespaces"] = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")]
        with open(f"{work}/bundle/config.json", "w", encoding="utf-8") as file:
            json.dump(spec, file)


def crun(command, name, *more):
    return ["crun", "--cgroup-manager", "cgroupfs", "--root", f"{work}/crun", command, *more, name]


def runc(command, name, *more):
    return ["runc", "--root", f"{work}/runc", command, *more, name]


def hull_runtime(command, name, *more):
    return [HULL, "runtime", "--root", f"{work}/hull-runtime", command, *more, name]


RUNTIMES = {"hull": hull_runtime, "runc": runc, "crun": crun}
BUNDLE = ["--bundle", f"{work}/bundle"]


def sleeping_bundle():
    """The bundle's twin that does not end; its path."""
    path = f"{work}/bundle-sleep"
    if not os.path.exists(path):
        shutil.copytree(f"{work}/bundle", path, symlinks=True)
        with open(f"{path}/config.json", encoding="utf-8") as file:
            spec = json.load(file)
        spec["process"]["args"] = ["sleep", "100000"]
        with open(f"{path}/config.json", "w", encoding="utf-8") as file:
            json.dump(spec, file)
    return path


def removal(program, *names):
    """rm -f that kills at once in every engine; podman would give the process ten seconds for its SIGTERM."""
    return [program, "rm", "-f", *(["-t", "0"] if program == "podman" else []), *names]


def isolate():
    """The peculiarities of a hybrid cgroup host, seen by this mount namespace only."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", f"{HOST}/32", "dev", "lo"], check=True)
    controllers = "/sys/fs/cgroup/unified/cgroup.controllers"
    if os.path.exists(controllers):
        # crun 1.8 refuses a hybrid layout whose v2 side has a controller.
        subprocess.run(["mount", "--bind", write("no-controllers", ""), controllers], check=True)


def clean():
    for program in (HULL, "docker", "podman"):
        if {HULL: "hull"}.get(program, program) in Engines.done:
            names = subprocess.run([program, "ps", "-aq"], env=ENV, check=False, capture_output=True, text=True).stdout.split()
            if names:
                subprocess.run(removal(program, *names), env=ENV, check=False, capture_output=True)
    if "podman" in Engines.done:
        subprocess.run(["podman", "system", "reset", "--force"], env=ENV, check=False, capture_output=True)
    for process in reversed(started):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    # The peers' own mounts, so that their directories can go.
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for target in reversed([line.split()[1] for line in mounts if line.split()[1].startswith(work)]):
            subprocess.run(["umount", "-l", target], check=False)
