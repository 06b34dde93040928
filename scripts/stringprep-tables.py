#!/usr/bin/env python3
"""Writes src/EventMail.Domain/Accounts/Stringprep/tables.txt: what RFC 3454 takes from Unicode 3.2, out of Python's copy of it."""

import pathlib
import stringprep
import sys
import unicodedata

ucd = unicodedata.ucd_3_2_0
ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HANGUL = range(0xAC00, 0xAC00 + 11172)  # composed by a formula


def ranges(belongs):
    """Code points and first-last pairs, in hex."""
    found, start = [], None
    for c in range(0x110001):
        inside = c < 0x110000 and not 0xD800 <= c <= 0xDFFF and belongs(chr(c))
        if inside and start is None:
            start = c
        elif not inside and start is not None:
            found.append(f"{start:X}" if c - 1 == start else f"{start:X}-{c - 1:X}")
            start = None
    return found


def prohibited(c):
    """RFC 4013 §2.3 without C.5, whose surrogates are no characters."""
    tables = ("in_table_c12", "in_table_c21", "in_table_c22", "in_table_c3", "in_table_c4", "in_table_c6", "in_table_c7", "in_table_c8", "in_table_c9")
    return any(getattr(stringprep, table)(c) for table in tables)


def decompositions():
    for c in ALL:
        full = ucd.normalize("NFKD", chr(c))
        if c not in HANGUL and full != chr(c):
            yield f"{c:X}={'+'.join(f'{ord(d):X}' for d in full)}"


def compositions():
    for c in ALL:
        parts = ucd.decomposition(chr(c)).split()
        if len(parts) == 2 and not parts[0].startswith("<") and ucd.normalize("NFC", chr(c)) == chr(c):
            yield f"{parts[0].lstrip('0')}+{parts[1].lstrip('0')}={c:X}"


def classes():
    of = {}
    for c in ALL:
        of.setdefault(ucd.combining(chr(c)), set()).add(chr(c))
    for number in sorted(of):
        if number:
            for item in ranges(of[number].__contains__):
                yield f"{item}={number}"


SECTIONS = [
    ("unassigned", "RFC 3454 A.1", ranges(stringprep.in_table_a1)),
    ("nothing", "RFC 3454 B.1", ranges(stringprep.in_table_b1)),
    ("space", "RFC 3454 C.1.2", ranges(stringprep.in_table_c12)),
    ("prohibited", "RFC 3454 C.1.2, C.2.1, C.2.2, C.3, C.4, C.6 to C.9", ranges(prohibited)),
    ("right-to-left", "RFC 3454 D.1", ranges(stringprep.in_table_d1)),
    ("left-to-right", "RFC 3454 D.2", ranges(stringprep.in_table_d2)),
    ("decompositions", "compatibility, in full and in canonical order", decompositions()),
    ("compositions", "canonical, without the exclusions", compositions()),
    ("classes", "canonical combining classes", classes()),
]

path = pathlib.Path(__file__).parent.parent / "src/EventMail.Domain/Accounts/Stringprep/tables.txt"
with path.open("w", encoding="ascii", newline="\n") as out:
    out.write("# Unicode 3.2 as RFC 3454 uses it. Made by scripts/stringprep-tables.py; code points in hexadecimal.\n")
    for name, what, items in SECTIONS:
        out.write(f"[{name}] {what}\n")
        line = ""
        for item in items:
            if len(line) + len(item) > 138:
                out.write(line.rstrip() + "\n")
                line = ""
            line += item + " "
        out.write(line.rstrip() + "\n")
sys.stdout.write(f"{path}: {path.stat().st_size} octets\n")
