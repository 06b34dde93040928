#!/usr/bin/env python3
"""Writes src/EventMail.Domain/Messages/casemap.txt: what RFC 5051 §2 makes of each character beyond ASCII, out of Python's Unicode data."""

import pathlib
import unicodedata


def titlecase(c):
    """The simple mapping. Where Python's full one is longer than a character, UnicodeData.txt has none."""
    title = chr(c).title()
    return ord(title) if len(title) == 1 else c


def decompose(c):
    parts = [part for part in unicodedata.decomposition(chr(c)).split() if not part.startswith("<")]
    if not parts:
        return [c]
    return [d for part in parts for d in decompose(int(part, 16))]


path = pathlib.Path(__file__).parent.parent / "src/EventMail.Domain/Messages/casemap.txt"
with path.open("w", encoding="ascii", newline="\n") as out:
    out.write(f"# Unicode {unicodedata.unidata_version} as RFC 5051 uses it. Made by scripts/casemap-table.py; code points in hexadecimal.\n")
    line = ""
    for c in range(0x80, 0x110000):
        if 0xD800 <= c <= 0xDFFF:
            continue
        to = decompose(titlecase(c))
        if to == [c]:
            continue
        item = f"{c:X}={'+'.join(f'{d:X}' for d in to)}"
        if len(line) + len(item) > 138:
            out.write(line.rstrip() + "\n")
            line = ""
        line += item + " "
    out.write(line.rstrip() + "\n")
