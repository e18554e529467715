"""The rows about networks: what a bridge costs a start, how soon a published port answers, what passes through it, and many networks."""

import json
import os
import shutil
import subprocess
import tempfile
import time

from measuring import HULL, ROUNDS, Table, alternate, quiet, settle, top, work
from peers import HOST, Engines, removal

PORT = 18080
PROGRAMS = {"hull": HULL, "docker": "docker"}


def row_bridge():
    Engines.need("hull", "docker")
    commands = {f"{engine} {network}": [program, "run", "--rm", "--network", network, "busybox", "true"]
                for engine, program in PROGRAMS.items() for network in ("none", "bridge")}
    table = alternate("run --rm busybox true, by network", commands, {})
    for engine, most in (("hull", 5), ("docker", None)):
        added = table.median(f"{engine} bridge") - table.median(f"{engine} none")
        print(f"  the bridge adds {added:.1f} ms to {engine}'s" + (f", wanted at most {most} ms: {'met' if added <= most else 'NOT MET'}" if most else ""))


def row_publish():
    Engines.need("hull", "docker", "podman")
    table = Table("run -d -p to the first answered connection")
    for number in range(-1, ROUNDS):
        for engine, program in {**PROGRAMS, "podman": "podman"}.items():
            settle()
            begin = time.monotonic_ns()
            quiet(program, "run", "-d", "--name", "bench-publish", "-p", f"{PORT}:80", "busybox", "sh", "-c", "cd /etc; exec httpd -f -h /etc -p 80")
            while not fetch():
                time.sleep(0.0005)
            elapsed = (time.monotonic_ns() - begin) / 1e6
            quiet(*removal(program, "bench-publish"))
            if number >= 0:
                table.add(engine, elapsed)
    table.show({"docker": 1.0, "podman": 1.0})


def fetch():
    return subprocess.run(["busybox", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/passwd"], check=False, capture_output=True).returncode == 0


def iperf_image():
    """busybox with the host's iperf3, for every engine."""
    with tempfile.TemporaryDirectory(dir=work) as root:
        shutil.copytree(f"{top}/out/fixtures/busybox.rootfs", root, symlinks=True, dirs_exist_ok=True)
        program = shutil.which("iperf3")
        libraries = [word for word in subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout.split() if word.startswith("/")]
        for file in [program, *libraries]:
            os.makedirs(root + os.path.dirname(file), exist_ok=True)
            shutil.copy(file, root + file)
        os.makedirs(f"{root}/tmp", exist_ok=True)
        subprocess.run(["tar", "-C", root, "-cf", f"{work}/iperf.tar", "."], check=True)
    for program in PROGRAMS.values():
        quiet(program, "import", f"{work}/iperf.tar", "iperf")
    return shutil.which("iperf3")


def row_throughput():
    Engines.need("hull", "docker")
    iperf = iperf_image()
    rows = {"container to container": [], "host to published port": []}
    tables = {title: Table(f"iperf3, {title}", "Gb/s") for title in rows}
    for engine in ("hull", "docker"):
        program = PROGRAMS[engine]
        quiet(program, "network", "create", "bench-net")
        quiet(program, "run", "-d", "--name", "bench-server", "--network", "bench-net", "-p", f"{5201 if engine == 'hull' else 5202}:5201", "iperf", iperf, "-s")
        quiet(program, "run", "-d", "--name", "bench-client", "--network", "bench-net", "iperf", "sleep", "100000")
    time.sleep(1)
    for number in range(-1, min(ROUNDS, 7)):
        for engine in ("hull", "docker"):
            settle()
            inside = [PROGRAMS[engine], "exec", "bench-client", iperf, "-c", "bench-server", "-t", "2", "-J"]
            outside = [iperf, "-c", HOST, "-p", "5201" if engine == "hull" else "5202", "-t", "2", "-J"]
            for title, command in zip(tables, (inside, outside)):
                report = json.loads(quiet(*command))
                if number >= 0:
                    tables[title].add(engine, report["end"]["sum_received"]["bits_per_second"] / 1e9)
    for table in tables.values():
        table.show({})
        ratio = table.median("hull") / table.median("docker")
        print(f"  hull has {ratio:.2f} x docker's, wanted at least 0.95 x: {'met' if ratio >= 0.95 else 'NOT MET'}")
    for program in PROGRAMS.values():
        quiet(*removal(program, "bench-server", "bench-client"))
        quiet(program, "network", "rm", "bench-net")


def row_networks():
    Engines.need("hull")
    before = links()
    table = Table("200 networks, 500 containers on them: each container's start, hundred by hundred")
    begin = time.monotonic()
    for number in range(200):
        quiet(HULL, "network", "create", "--subnet", f"10.{100 + number // 100}.{number % 100}.0/24", f"bench-{number}")
    made = time.monotonic() - begin
    for hundred in range(5):
        settle()
        for number in range(hundred * 100, hundred * 100 + 100):
            start = time.monotonic_ns()
            quiet(HULL, "run", "-d", "--name", f"bench-many-{number}", "--network", f"bench-{number % 200}", "busybox", "sleep", "100000")
            table.add(f"{hundred * 100 + 1}-{hundred * 100 + 100}", (time.monotonic_ns() - start) / 1e6)
    table.show({})
    begin = time.monotonic()
    quiet(*removal(HULL, *[f"bench-many-{number}" for number in range(500)]))
    gone = time.monotonic() - begin
    quiet(HULL, "network", "prune", "-f")
    left = links() - before
    tables = quiet("nft", "list", "tables")
    print(f"  made 200 networks in {made * 1000 / 200:.1f} ms each, removed 500 containers in {gone * 1000 / 500:.1f} ms each; "
          f"left behind: {' '.join(sorted(left)) or 'no link'}, {'rules of hull' if 'hull' in tables else 'no rule'}")


def links():
    return {line.split(":")[1].strip().split("@")[0] for line in quiet("ip", "-o", "link").splitlines()}
