"""How a command is timed, and how the figures are shown."""

import os
import statistics
import subprocess
import sys
import time

top, work, *wanted = sys.argv[1:]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
# Of the rows that move whole images: seconds and gigabytes each.
IMAGE_ROUNDS = min(ROUNDS, 7)
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


def busy():
    """Clock ticks that all processors have worked, and those that they had (proc_stat(5))."""
    with open("/proc/stat", encoding="utf-8") as file:
        ticks = [int(text) for text in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def settle():
    """Waits until the machine has done what the last engine left to it: an ended container's namespaces and cgroups go later, by
    the kernel's own threads, and daemons tidy up. Else each engine would be timed at the one before. Goes on after 5 s."""
    deadline = time.monotonic() + 5
    work_before, all_before = busy()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        work_now, all_now = busy()
        if work_now - work_before <= 0.1 * (all_now - all_before):
            return
        work_before, all_before = work_now, all_now


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


def timed(number, name, command, table, memory=None):
    """One command of a row that moves images: the disk is idle before, hull's memory counts, and round -1 warms up."""
    os.sync()
    elapsed, peak = measure(command)
    if number >= 0:
        table.add(name, elapsed)
        if memory and name == "hull":
            memory.add(name, peak)


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
    """Times the commands in turn, round by round; one round first that is not counted. Returns the table that was shown."""
    table = Table(title)
    for number in range(-1, rounds or ROUNDS):
        for engine, command in commands.items():
            if before:
                before(engine)
            settle()
            elapsed, _ = measure(command(number) if callable(command) else command)
            if after:
                after(engine)
            if number >= 0:
                table.add(engine, elapsed)
    table.show(targets)
    return table


def many(title, workers, commands, targets):
    """A hundred containers an engine, in batches that take turns; a sample is a batch."""
    table, batch = Table(title), 20
    for first in range(0, 100, batch):
        for engine, command in commands.items():
            lines = [command(number) for number in range(first, first + batch)]
            settle()
            begin = time.monotonic()
            run_all(lines, workers)
            table.add(engine, (time.monotonic() - begin) * 1000 / batch)
    table.show(targets)


def peak_memory(title, commands, targets):
    """By GNU time: a child of Python's would count what Python held when it was spawned."""
    table = Table(title, "MB")
    for number in range(1000, 1005):
        for engine, command in commands.items():
            measure(["/usr/bin/time", "-f", "%M", "-o", f"{work}/peak", *command(number)])
            with open(f"{work}/peak", encoding="utf-8") as file:
                table.add(engine, int(file.read()) / 1024)
    table.show(targets)
