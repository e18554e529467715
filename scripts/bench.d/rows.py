"""The rows of scripts/bench. Runs as root in a mount and a network namespace of its own."""

import os
import signal
import subprocess
import sys
import time

import images
import networks
from measuring import HULL, ROUNDS, Table, alternate, many, measure, peak_memory, quiet, settle, wanted, work
from peers import BUNDLE, RUNTIMES, Engines, clean, crun, isolate, removal, runc, sleeping_bundle


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
            settle()
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
                settle()
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


def main():
    rows = {name[4:]: function for name, function in {**globals(), **vars(images), **vars(networks)}.items() if name.startswith("row_")}
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
