"""Finds out which functions of a program run: a breakpoint at the start of each, taken away when it is hit first."""

import bisect
import ctypes
import os
import signal
import struct
import subprocess

TRACEME, GETREGS, SETREGS, CONT, DETACH, SETOPTIONS = 0, 12, 13, 7, 17, 0x4200
CHILDREN_AND_EXEC = 0x2 | 0x4 | 0x8 | 0x10 | 0x100000       # with PTRACE_O_EXITKILL
EXEC, WALL = 4, 0x40000000
RIP = 16                                                    # index in struct user_regs_struct (sys/user.h)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request, pid, data=0):
    return _libc.ptrace(request, pid, 0, data)


def functions(symbols):
    """Address to names, of the functions in a file with symbols."""
    found = {}
    for line in subprocess.run(["nm", "--defined-only", symbols], check=True, capture_output=True, text=True).stdout.splitlines():
        address, kind, name = line.split(" ", 2)
        if kind in "tT":
            found.setdefault(int(address, 16), []).append(name)
    return found


class Trace:
    """Traces of one program; `reached` has the addresses of functions, each once, in the order in which they first ran."""

    def __init__(self, program, addresses):
        self.program, self.addresses, self.reached = program, sorted(addresses), {}
        self.known = frozenset(addresses)
        with open(program, "rb") as file:
            content = file.read()
        header, count = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<H", content, 56)[0]
        for i in range(count):
            kind, flags, offset, start, _, size = struct.unpack_from("<IIQQQQ", content, header + 56 * i)
            if kind == 1 and flags & 1:
                self.start, self.code = start, content[offset:offset + size]
        self.broken = bytearray(self.code)
        for address in self.addresses[bisect.bisect_left(self.addresses, self.start):bisect.bisect_left(self.addresses, self.start + len(self.code))]:
            self.broken[address - self.start] = 0xCC

    def run(self, arguments):
        """Runs the program to its end and returns the exit code. Its children go on whenever one is waited for."""
        first = os.fork()
        if first == 0:
            _ptrace(TRACEME, 0)
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            os.execv(self.program, [self.program, *arguments])
        os.waitpid(first, 0)
        _ptrace(SETOPTIONS, first, CHILDREN_AND_EXEC)
        self._break(first)
        _ptrace(CONT, first)
        result = None
        while result is None:
            pid, status = os.waitpid(-1, WALL)
            if os.WIFSTOPPED(status):
                self._stopped(pid, status)
            elif pid == first:
                result = os.waitstatus_to_exitcode(status)
        return result

    def _stopped(self, pid, status):
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == EXEC:
            if not os.path.samefile(f"/proc/{pid}/exe", self.program):
                _ptrace(DETACH, pid)
                return
            self._break(pid)
        elif number == signal.SIGTRAP and not event:
            self._reach(pid)
        _ptrace(CONT, pid, 0 if event or number in (signal.SIGTRAP, signal.SIGSTOP) else number)

    def _break(self, pid):
        with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(self.start)
            memory.write(self.broken)

    def _reach(self, pid):
        registers = (ctypes.c_ulonglong * 27)()
        _ptrace(GETREGS, pid, registers)
        address = registers[RIP] - 1
        if address in self.known:
            self.reached.setdefault(address)
            with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
                memory.seek(address)
                memory.write(self.code[address - self.start:address - self.start + 1])
            registers[RIP] = address
            _ptrace(SETREGS, pid, registers)
