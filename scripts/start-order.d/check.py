"""Tests of this directory: instructions with known displacements, and a small program that is ordered, linked and run.
Usage: check.py   (wants gcc or clang; ends with a summary like those of the other tests)"""

import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import lines  # noqa: E402
import order  # noqa: E402
import x86  # noqa: E402
from elf import Object, Refused  # noqa: E402

COMPILER = shutil.which("clang") or shutil.which("gcc")

# An instruction, and where its displacement is; None when it has none. From the Intel SDM's encodings.
INSTRUCTIONS = [
    ("c3", None), ("4883ec28", None), ("488b4c2410", None), ("488b8c2480000000", None), ("8b04c5f0ffffff", None), ("ff5018", None),
    ("48b80102030405060708", None), ("b801020304", None), ("66b80102", None), ("f6c201", None), ("f7c201020304", None), ("66f7c20102", None),
    ("f7d8", None), ("0f1f440000", None), ("66660f1f840000000000", None), ("c5f877", None), ("c5f96f00", None), ("c4e37d39c101", None),
    ("62f17c48100401", None), ("f3a4", None), ("c20800", None), ("0fb60401", None), ("660f3a0fc108", None), ("64488b042500000000", None),
    ("e800000000", 1), ("e900000000", 1), ("0f8500000000", 2), ("488d0500000000", 3), ("ff1500000000", 2), ("833d0000000000", 2),
    ("c7050000000001000000", 2), ("66c70500000000aabb", 3), ("f6050000000001", 2), ("c5fb100500000000", 4), ("c4e37d19050000000001", 5),
    ("62f17c48100500000000", 6), ("666648e800000000", 4), ("66488d3d00000000", 4)]

# ILC leaves calls between functions to its own arithmetic; so does the assembler with local symbols.
PROGRAM = """
    .section __managedcode,"ax",@progbits
    .p2align 5
    .macro function name
    .p2align 4, 0xcc
    .type \\name, @function
\\name:
    .endm
    function cold
    call hot
    add $1, %eax
    ret
    .size cold, . - cold
    function hot
    call helper
    movslq _ZTVhot+24(%rip), %rcx
    lea _ZTVhot+24(%rip), %rdx
    add (%rdx,%rcx), %eax
    lea __InterfaceDispatchCell_two(%rip), %rdx
    add 16+8(%rdx), %eax
    movslq 8(%rdx), %rcx
    add 8-3(%rdx,%rcx), %eax
    ret
    .size hot, . - hot
    function helper
    mov $100, %eax
    ret
    .size helper, . - helper
    .globl main
    function main
    call cold
    ret
    .size main, . - main
    .macro node name
    .globl \\name
    .hidden \\name
\\name:
    .endm
    .data
    .p2align 4
    node __InterfaceDispatchCell_one
    .quad main, 0
    node __InterfaceDispatchCell_two
    .quad main
    .long .Lcold + 3 - .
    .long 0
    .quad 0, 5
    node _ZTVcold
.Lcold:
    .quad 3, 0, 0
    .long .Lvalue - .
    .long 0
    node __GenericDict_value
.Lvalue:
    .quad 20
    node _ZTVhot
    .quad 0, _ZTVcold, 0
    .long .Lvalue - .
    .long 0
    node __Str_one
    .quad 7
    node __Str_two
    .quad 8
    node __FrozenObj_end
    .quad 9
    .section .note.GNU-stack,"",@progbits
"""


def assemble(directory, text):
    source, result = f"{directory}/program.s", f"{directory}/program.o"
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run([COMPILER, "-c", source, "-o", result], check=True)
    with open(result, "rb") as file:
        return Object(file.read())


class Tests(unittest.TestCase):
    def test_displacements_known_instructions_are_found(self):
        for text, place in INSTRUCTIONS:
            code = bytes.fromhex(text)
            self.assertEqual([(place, len(code))] if place else [], list(x86.displacements(code, 0, len(code), text)), text)

    def test_displacements_unknown_instruction_is_refused(self):
        with self.assertRaisesRegex(Refused, "f: no known instruction at .0x1: 06"):
            list(x86.displacements(b"\x90\x06\xc3", 0, 3, "f"))

    def test_order_program_runs_as_before(self):
        for names in ([], ["hot"], ["main", "helper", "hot", "cold"]):
            with self.subTest(names=names), tempfile.TemporaryDirectory() as work:
                obj = assemble(work, PROGRAM)
                order.order(obj, names)
                with open(f"{work}/ordered.o", "wb") as file:
                    file.write(obj.data)
                subprocess.run([COMPILER, "-no-pie", f"{work}/ordered.o", "-o", f"{work}/program"], check=True)
                self.assertEqual(129, subprocess.run([f"{work}/program"], check=False).returncode)

    def test_order_wanted_function_and_its_data_go_to_the_end(self):
        with tempfile.TemporaryDirectory() as work:
            obj = assemble(work, PROGRAM)
            text, objects = (obj.section(name).size for name in ("__managedcode", ".data"))
            order.order(obj, ["hot"])
            places = {obj.name(symbol): symbol[4] for symbol in obj.symbols}
            self.assertGreaterEqual(places["hot"], text)
            self.assertGreaterEqual(places["_ZTVhot"], objects)
            self.assertLess(max(places["cold"], places["main"]), text)
            # Its base goes along.
            self.assertGreaterEqual(places["_ZTVcold"], objects)
            self.assertLess(places["__FrozenObj_end"], objects)

    def test_order_relocation_by_section_is_refused(self):
        with tempfile.TemporaryDirectory() as work:
            obj = assemble(work, PROGRAM.replace("_ZTVhot+24(%rip), %rdx", ".Lvalue(%rip), %rdx"))
            with self.assertRaisesRegex(Refused, "__managedcode: a relocation names .data and no symbol"):
                order.order(obj, ["hot"])

    def test_order_call_into_the_middle_is_refused(self):
        with tempfile.TemporaryDirectory() as work:
            obj = assemble(work, PROGRAM.replace("call helper", "call helper + 5"))
            with self.assertRaisesRegex(Refused, "hot.0x1 leads into the middle of a function"):
                order.order(obj, ["hot"])

    def test_order_cell_outside_of_runs_is_refused(self):
        with tempfile.TemporaryDirectory() as work:
            obj = assemble(work, PROGRAM.replace(".quad 0, 5", ".quad 1, 5"))
            with self.assertRaisesRegex(Refused, "__InterfaceDispatchCell_two is in no run"):
                order.order(obj, ["hot"])

    def test_order_table_of_unknown_layout_is_refused(self):
        with tempfile.TemporaryDirectory() as work:
            obj = assemble(work, PROGRAM.replace(".long .Lvalue - .", ".long 12345", 1))
            with self.assertRaisesRegex(Refused, "_ZTVcold.0x18 is no pointer to a node"):
                order.order(obj, ["hot"])

    def test_object_other_machine_is_refused(self):
        header = bytearray(64)
        header[:6] = b"\x7fELF\x02\x01"
        struct.pack_into("<HH", header, 16, 1, 183)
        with self.assertRaisesRegex(Refused, "not a relocatable object for x86-64"):
            Object(header)

    def test_numbers_encoded_are_decoded(self):
        for value in (0, 1, 63, 64, 127, 128, 300, 1 << 20):
            self.assertEqual(value, lines.number(lines.leb128(value), 0)[0])
            self.assertEqual(-value, lines.number(lines.leb128(-value, True), 0, True)[0])

    def test_script_names_sections_of_libraries_alone(self):
        with tempfile.TemporaryDirectory() as work:
            text = order.script(assemble(work, PROGRAM), ["hot", "_ZN3GC4InitEv", "List<T>"])
            self.assertIn("*(.text._ZN3GC4InitEv)\n  }", text)
            self.assertNotIn("hot", text)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=0).result
    print(f"Total: {result.testsRun}, Errors: {len(result.errors)}, Failed: {len(result.failures)}, Skipped: {len(result.skipped)}")
    sys.exit(not result.wasSuccessful())
