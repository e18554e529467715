"""The measuring half of scripts/bench. Runs as root in a mount and a network namespace of its own."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

top, work, *wanted = sys.argv[1:]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
HULL = os.path.join(top, "out", "hull")

NULL = os.open("/dev/null", os.O_RDWR)
ENV = {**os.environ, "HULL_DATA_ROOT": f"{work}/hull", "HULL_EXEC_ROOT": f"{work}/hull-run", "DOCKER_HOST": f"unix://{work}/docker.sock",
       "CONTAINERS_CONF": f"{work}/containers.conf", "CONTAINERS_STORAGE_CONF": f"{work}/storage.conf"}


def spawn(arguments):
    """Starts a command with nothing on its streams; errors go to a file that is shown when it fails."""
    errors = os.open(f"{work}/errors", os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        return os.posix_spawnp(arguments[0], arguments, ENV, file_actions=[
            (os.POSIX_SPAWN_DUP2, NULL, 0), (os.POSIX_SPAWN_DUP2, NULL, 1), (os.POSIX_SPAWN_DUP2, errors, 2)])
    finally:
        os.close(errors)


def measure(arguments):
    """Milliseconds from before the start to after the exit, and the peak resident set in MB."""
    begin = time.monotonic_ns()
    _, status, usage = os.wait4(spawn(arguments), 0)
    elapsed = (time.monotonic_ns() - begin) / 1e6
    if status != 0:
        with open(f"{work}/errors", encoding="utf-8", errors="replace") as errors:
            sys.exit(f"bench: {' '.join(arguments)}: status {os.waitstatus_to_exitcode(status)}\n{errors.read()}")
    return elapsed, usage.ru_maxrss / 1024


def run_all(commands, workers):
    """Runs the commands, so many at a time. Neither threads nor pipes of Python's: they would be timed with each command."""
    running, queue = {}, list(reversed(commands))
    while queue or running:
        while queue and len(running) < workers:
            command = queue.pop()
            running[spawn(command)] = command
        pid, status = os.wait()
        if pid in running and status != 0:
            sys.exit(f"bench: {' '.join(running[pid])}: status {os.waitstatus_to_exitcode(status)}")
        running.pop(pid, None)


def quiet(*arguments):
    return subprocess.run(arguments, env=ENV, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout.strip()


class Table:
    """One row of the report: engines, their medians, and each ratio beside its target."""

    def __init__(self, title, unit="ms"):
        self.title, self.unit, self.samples = title, unit, {}

    def add(self, engine, value):
        self.samples.setdefault(engine, []).append(value)

    def median(self, engine):
        return statistics.median(self.samples[engine])

    def show(self, targets):
        print(f"\n{self.title}")
        for engine, values in self.samples.items():
            line = f"  {engine:<14}{statistics.median(values):>10.2f} {self.unit:<4}(min {min(values):.2f}, n={len(values)})"
            if engine != "hull" and "hull" in self.samples:
                ratio = self.median("hull") / self.median(engine)
                target = targets.get(engine)
                line += f"   hull is {ratio:.2f} x"
                if target is not None:
                    line += f", wanted at most {target} x: {'met' if ratio <= target else 'NOT MET'}"
            elif engine == "hull" and "hull" in targets:
                met = statistics.median(values) <= targets["hull"]
                line += f"   wanted at most {targets['hull']} {self.unit}: {'met' if met else 'NOT MET'}"
            print(line, flush=True)


def alternate(title, commands, targets, before=None, after=None, rounds=None):
    """Times the commands in turn, round by round; one round first that is not counted."""
    table = Table(title)
    for number in range(-1, rounds or ROUNDS):
        for engine, command in commands.items():
            if before:
                before(engine)
            elapsed, _ = measure(command(number) if callable(command) else command)
            if after:
                after(engine)
            if number >= 0:
                table.add(engine, elapsed)
    table.show(targets)


# Peers. Started when a row first needs them.

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
               "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver", "overlay2",
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


# Rows.

def row_run():
    Engines.need("hull", "docker", "podman", "bundle")
    alternate("run --rm busybox true (no network)", {
        "hull": [HULL, "run", "--rm", "--network", "none", "busybox", "true"],
        "runc (bare)": lambda n: runc("run", f"bench-runc-{n}", *BUNDLE),
        "crun (bare)": lambda n: crun("run", f"bench-crun-{n}", *BUNDLE),
        "docker": ["docker", "run", "--rm", "--network", "none", "busybox", "true"],
        "podman": ["podman", "run", "--rm", "--network", "none", "busybox", "true"],
    }, {"runc (bare)": 1.0, "docker": 0.1, "podman": 0.15})


def row_runtime():
    Engines.need("bundle")
    run = {engine: lambda n, call=call, engine=engine: call("run", f"bench-{engine}-{n}", *BUNDLE) for engine, call in RUNTIMES.items()}
    alternate("one OCI bundle, all namespaces", run, {"crun": 1.0})
    peak_memory("  peak resident set of that", run, {"crun": 1.5})


def row_oci():
    Engines.need("bundle")
    table = Table("OCI create, start, delete --force of a bundle that waits")
    for number in range(-1, ROUNDS):
        for engine, call in RUNTIMES.items():
            name = f"bench-life-{number}"
            elapsed = sum(measure(line)[0] for line in (
                call("create", name, "--bundle", sleeping_bundle()), call("start", name), call("delete", name, "--force")))
            if number >= 0:
                table.add(engine, elapsed)
    table.show({"crun": 1.0})

    for call in RUNTIMES.values():
        measure(call("run", "bench-oci-exec", "-d", "--bundle", sleeping_bundle()))
    try:
        alternate("OCI exec CONTAINER true", {engine: [*call("exec", "bench-oci-exec"), "true"] for engine, call in RUNTIMES.items()}, {"crun": 1.0})
    finally:
        for call in RUNTIMES.values():
            quiet(*call("delete", "bench-oci-exec", "--force"))

    for title, workers in (("in sequence", 1), ("8 at a time", 8)):
        many(f"OCI run, 100 {title}: per container", workers, {
            engine: lambda n, call=call, engine=engine: call("run", f"bench-many-{engine}-{n}", *BUNDLE) for engine, call in RUNTIMES.items()}, {"crun": 1.0})


def peak_memory(title, commands, targets):
    """By GNU time: a child of Python's would count what Python held when it was spawned."""
    table = Table(title, "MB")
    for number in range(1000, 1005):
        for engine, command in commands.items():
            measure(["/usr/bin/time", "-f", "%M", "-o", f"{work}/peak", *command(number)])
            with open(f"{work}/peak", encoding="utf-8") as file:
                table.add(engine, int(file.read()) / 1024)
    table.show(targets)


def row_exec():
    Engines.need("hull", "docker", "podman", "bundle")
    for engine in (HULL, "docker", "podman"):
        quiet(engine, "run", "-d", "--name", "bench-exec", "--network", "none", "busybox", "sleep", "100000")
    measure(crun("run", "bench-exec", "-d", "--bundle", sleeping_bundle()))
    try:
        alternate("exec CONTAINER true", {
            "hull": [HULL, "exec", "bench-exec", "true"],
            "crun": [*crun("exec", "bench-exec"), "true"],
            "docker": ["docker", "exec", "bench-exec", "true"],
            "podman": ["podman", "exec", "bench-exec", "true"],
        }, {"docker": 0.15, "crun": 2.0})
    finally:
        for engine in (HULL, "docker", "podman"):
            quiet(*removal(engine, "bench-exec"))
        quiet(*crun("delete", "bench-exec", "--force"))


def works_for_bench(pid, line):
    """By its command line, or by what it holds open: hull's monitor holds its container's lock."""
    return work in line or any(os.readlink(f"/proc/{pid}/fd/{number}").startswith(work) for number in os.listdir(f"/proc/{pid}/fd"))


def proportional_sizes(fragment):
    """MB of proportional set size of every process whose command line has the fragment and that works for this bench."""
    sizes = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
            if fragment in line and works_for_bench(pid, line):
                with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
                    sizes.append(next(int(text.split()[1]) for text in file if text.startswith("Pss:")) / 1024)
        except (FileNotFoundError, ProcessLookupError):
            # It has ended meanwhile.
            continue
    return sizes


def row_memory():
    Engines.need("hull", "docker", "podman")
    table = Table("memory beside each of ten idle containers (proportional set size)", "MB")
    for engine, program, fragment in (("hull", HULL, " monitor"), ("docker", "docker", "containerd-shim"), ("podman", "podman", "conmon")):
        names = [f"bench-idle-{number}" for number in range(10)]
        for name in names:
            quiet(program, "run", "-d", "--name", name, "--network", "none", "busybox", "sleep", "100000")
        time.sleep(3)
        for size in proportional_sizes(fragment):
            table.add({"hull": "hull", "docker": "docker shim", "podman": "conmon"}[engine], size)
        quiet(*removal(program, *names))
    table.show({"hull": 1.5})


def large_image(seed):
    """A gzip-compressed docker archive of about 150 MB: 20,000 files, half of their bytes incompressible."""
    path = f"{work}/large.tar.gz"
    # In a process of its own: a child's peak memory counts what its parent held when it was forked.
    subprocess.run([sys.executable, f"{top}/scripts/lib/large_image.py", str(seed), path], check=True)
    return path


def row_load():
    Engines.need("hull", "docker", "podman")
    table, memory = Table("load of a 143 MB gzip image, 20,000 files"), Table("  peak resident set of that", "MB")
    rounds = min(ROUNDS, int(os.environ.get("BENCH_LOAD_ROUNDS", str(ROUNDS))))
    for number in range(-1, rounds):
        # A new image every round, and nothing removed in between: for minutes after 20,000 files have gone, ext4 looks
        # at each of their inodes again before it makes a new file, and every engine would be timed at that.
        image = large_image(number + 2)
        # Debian's podman 4.3 refuses a docker archive that is compressed; gzip works for it on the other processor.
        for engine, command in (("hull", [HULL, "load", "-i", image]), ("docker", ["docker", "load", "-i", image]),
                                ("podman", ["sh", "-c", f"gzip -dc {image} | podman load"])):
            os.sync()
            elapsed, peak = measure(command)
            if number >= 0:
                table.add(engine, elapsed)
                if engine == "hull":
                    memory.add(engine, peak)
        target = f"{work}/untar/{number}"
        os.makedirs(target)
        os.sync()
        # The layer is a tar in the image's tar: two tars and one gzip are the same work without an engine.
        elapsed, _ = measure(["sh", "-c", f"gzip -dc {image} | tar x -O --wildcards '*.tar' | tar x -C {target}"])
        if number >= 0:
            table.add("gzip | tar x", elapsed)
    table.show({"docker": 0.5, "podman": 0.5})
    memory.show({"hull": 150})


def many(title, workers, commands, targets):
    """A hundred containers an engine, in batches that take turns; a sample is a batch."""
    table, batch = Table(title), 20
    for first in range(0, 100, batch):
        for engine, command in commands.items():
            lines = [command(number) for number in range(first, first + batch)]
            begin = time.monotonic()
            run_all(lines, workers)
            table.add(engine, (time.monotonic() - begin) * 1000 / batch)
    table.show(targets)


def many_detached(title, workers):
    Engines.need("hull", "docker", "podman")
    programs = {"hull": HULL, "docker": "docker", "podman": "podman"}
    many(title, workers, {
        engine: lambda number, program=program: [program, "run", "-d", "--name", f"bench-many-{number}", "--network", "none", "busybox", "sleep", "100000"]
        for engine, program in programs.items()}, {"docker": 0.15, "podman": 0.15})
    for program in programs.values():
        quiet(*removal(program, *(f"bench-many-{number}" for number in range(100))))


def row_detached():
    many_detached("run -d, 100 in sequence: per container", 1)


def row_parallel():
    many_detached("run -d, 100, 8 at a time: per container", 8)


def row_rm():
    Engines.need("hull", "docker", "podman")
    programs = {"hull": HULL, "docker": "docker", "podman": "podman"}
    alternate("rm -f of a running container", {engine: removal(program, "bench-rm") for engine, program in programs.items()},
              {"docker": 0.15}, before=lambda engine: quiet(programs[engine], "run", "-d", "--name", "bench-rm", "--network", "none",
                                                            "busybox", "sleep", "100000"))


def row_ps():
    Engines.need("hull", "docker")
    programs = {"hull": HULL, "docker": "docker"}
    medians = {}
    for count in (1, 500):
        for engine, program in programs.items():
            for number in range(len(quiet(program, "ps", "-aq").split()), count):
                quiet(program, "create", "--name", f"bench-ps-{number}", "--network", "none", "busybox", "true")
        table = Table(f"ps -a with {count} containers")
        for number in range(-1, ROUNDS):
            for engine, program in programs.items():
                elapsed, _ = measure([program, "ps", "-a"])
                if number >= 0:
                    table.add(engine, elapsed)
        table.show({"docker": 1.0})
        medians[count] = table.median("hull")
    ratio = medians[500] / medians[1]
    print(f"  hull with 500 is {ratio:.2f} x hull with 1, wanted under 3 x: {'met' if ratio < 3 else 'NOT MET'}")
    for engine, program in programs.items():
        names = quiet(program, "ps", "-aq").split()
        quiet(*removal(program, *names))


def isolate():
    """The peculiarities of a hybrid cgroup host, seen by this mount namespace only."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
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


def main():
    rows = {name[4:]: function for name, function in globals().items() if name.startswith("row_")}
    unknown = [name for name in wanted if name not in rows]
    if unknown:
        sys.exit(f"bench: no row {unknown[0]}; there are: {' '.join(rows)}")
    isolate()
    print(f"{os.cpu_count()} processors, kernel {os.uname().release}, {ROUNDS} rounds, load {os.getloadavg()[0]:.1f}")
    try:
        for name, row in rows.items():
            if not wanted or name in wanted:
                row()
    finally:
        clean()


# Told to end, the daemons end too: SystemExit runs the clean-up above, the signal's default action would not.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
main()
