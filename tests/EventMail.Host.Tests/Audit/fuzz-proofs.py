#!/usr/bin/env python3
"""Alters each proof of a folder, octet by octet, and sees that check-proof.py refuses what says something else.

    fuzz-proofs.py CHECK-PROOF.PY FOLDER KEY [ROUNDS]

openssl is asked about the true signatures alone: every other signature, text or key counts as false, as it would say.
"""
import contextlib
import importlib.util
import io
import json
import os
import random
import sys

spec = importlib.util.spec_from_file_location("check_proof", sys.argv[1])
checker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(checker)
random.seed(1)
true_signatures, ask_openssl = set(), checker.is_signature


def learn(*what):
    if what not in true_signatures and ask_openssl(*what):
        true_signatures.add(what)
    return what in true_signatures


def proves(octets):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            checker.check(octets, sys.argv[3])
        return True
    except checker.NotProved:
        return False


def meaning(octets):
    try:
        return json.dumps(json.loads(octets.decode()))
    except ValueError:
        return None


KINDS = [
    lambda octets, at: octets[:at] + bytes([octets[at] ^ (1 << random.randrange(8))]) + octets[at + 1:],
    lambda octets, at: octets[:at] + bytes([random.choice(b'0123456789+/=AaBbefxyz"\\{}[],: \n-.')]) + octets[at + 1:],
    lambda octets, at: octets[:at] + octets[at + 1:],
    lambda octets, at: octets[:at] + bytes([random.randrange(256)]) + octets[at:],
]


def alterations(octets):
    for _ in range(int(sys.argv[4]) if len(sys.argv) > 4 else 1):
        for at in range(len(octets)):
            yield random.choice(KINDS)(octets, at)
        yield octets[:random.randrange(len(octets))]


files, tried, refused = 0, 0, 0
for name in sorted(os.listdir(sys.argv[2])):
    with open(os.path.join(sys.argv[2], name), "rb") as file:
        octets = file.read()
    checker.is_signature = learn
    if not proves(octets):
        sys.exit(f"{name} proves nothing")
    checker.is_signature = lambda *what: what in true_signatures
    files += 1
    for altered in alterations(octets):
        tried += 1
        if not proves(altered):
            refused += 1
        elif meaning(altered) != meaning(octets):
            sys.exit(f"{name}, altered, is taken for a proof: {altered!r}")
print(f"{files} files, {tried} alterations, {refused} refused")
