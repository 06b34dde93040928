#!/usr/bin/env python3
"""Checks a proof that `eventmail audit prove` wrote, with Python and openssl and nothing of EventMail.

    check-proof.py PROOF KEY [FILE.eml]        an event, or a message, is in the log
    check-proof.py PROOF KEY [HELD-CHECKPOINT] a log goes on from an older checkpoint of it (`audit prove --since`)

KEY is the log's public key, as `eventmail audit key` prints it, from somebody you trust.
Exit code 0: proved; 1: not.
"""
import base64
import hashlib
import json
import subprocess
import sys
import tempfile


class NotProved(Exception):
    pass


def sha256(octets):
    return hashlib.sha256(octets).digest()


def require(holds, otherwise):
    if not holds:
        raise NotProved(otherwise)


def number(value):
    """A whole number: JSON's true is none, nor is 1.0."""
    require(type(value) is int and 0 <= value < 2 ** 63, "a number is none")
    return value


def text_of(value):
    require(type(value) is str, "a text is none")
    return value


def octets_of(value):
    """Base64 as it is written, and in no other way."""
    octets = base64.b64decode(text_of(value), validate=True)
    require(base64.b64encode(octets).decode() == value, "base64 that nobody writes so")
    return octets


def hash_of(value):
    octets = octets_of(value)
    require(len(octets) == 32, "a hash is none")
    return octets


def read_key(text):
    """C2SP signed-note: name+hash+base64(0x01, Ed25519 key)."""
    name, number_hex, encoded = text.strip().split("+", 2)
    octets = octets_of(encoded)
    number_of = sha256(name.encode() + b"\n" + octets)[:4]
    require(len(octets) == 33 and octets[0] == 1 and number_of.hex() == number_hex, "that is no public key")
    return name, number_of, octets[1:]


def is_signature(key, signature, text):
    with tempfile.TemporaryDirectory() as folder:
        def put(name, octets):
            with open(f"{folder}/{name}", "wb") as file:
                file.write(octets)
            return f"{folder}/{name}"

        # RFC 8410: what stands before the 32 octets of an Ed25519 key.
        der = put("key", bytes.fromhex("302a300506032b6570032100") + key)
        return subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", der, "-rawin", "-in", put("text", text),
             "-sigfile", put("signature", signature)], capture_output=True).returncode == 0


def read_checkpoint(note, name, key_number, key):
    """The number of events and the root, when the key has signed them; no signature in its name is false."""
    text, signatures = text_of(note).rsplit("\n\n", 1)
    text += "\n"
    require(signatures.endswith("\n"), "the checkpoint's last line has no end")
    signed = False
    for line in signatures[:-1].split("\n"):
        dash, who, encoded = line.split(" ")
        require(dash == "\u2014", "a signature line is none")
        octets = octets_of(encoded)
        if (who, octets[:4]) == (name, key_number):
            require(is_signature(key, octets[4:], text.encode()), "the checkpoint is not signed by this key")
            signed = True
    require(signed, "the checkpoint is not signed by this key")
    lines = text.split("\n")
    require(len(lines) > 3 and lines[0] and lines[1].isdecimal() and str(int(lines[1])) == lines[1], "the checkpoint is none")
    return number(int(lines[1])), hash_of(lines[2])


def climb(value, node, last, path, other=None):
    """RFC 9162, sections 2.1.3.2 and 2.1.4.2: up to the root; beside it, up to that of the older tree."""
    for sibling in path:
        require(last > 0, "a path is too long")
        if node % 2 == 1 or node == last:
            value = sha256(b"\x01" + sibling + value)
            other = other and sha256(b"\x01" + sibling + other)
            while node % 2 == 0 and node > 0:
                node, last = node >> 1, last >> 1
        else:
            value = sha256(b"\x01" + value + sibling)
        node, last = node >> 1, last >> 1
    require(last == 0, "a path is too short")
    return value, other


def check_inclusion(proof, key, message):
    size, root = read_checkpoint(proof["checkpoint"], *key)
    require(type(proof["events"]) is list and proof["events"], "there are no events in it")
    digests = []
    for event in proof["events"]:
        line = text_of(event["line"]).encode()
        position, index = number(event["position"]), number(event["index"])
        require(index < size, "there is no such leaf")
        leaf = sha256(b"\x00" + position.to_bytes(8, "big") + sha256(line))
        value, _ = climb(leaf, index, size - 1, [hash_of(sibling) for sibling in event["path"]])
        require(value == root, f"event {position} is not in the log")
        print(f"event {position}: {event['line']}")
        digests.append((json.loads(line)["data"].get("Content") or {}).get("Sha256"))
    if message:
        with open(message, "rb") as file:
            require(sha256(file.read()).hex() in digests, "the message is another one")
    print(f"PROVED in the log of {size} events")


def check_consistency(proof, key, held):
    older, older_root = read_checkpoint(proof["older"], *key)
    size, root = read_checkpoint(proof["checkpoint"], *key)
    path = [hash_of(sibling) for sibling in proof["path"]]
    if held:
        with open(held, encoding="utf-8") as file:
            require((older, older_root) == read_checkpoint(file.read(), *key), "the older checkpoint is another one than yours")
    require(older <= size, "the log became shorter")
    if older == size:
        require(not path and older_root == root, "the two are of different logs")
    elif older == 0:
        require(not path and older_root == sha256(b""), "the older one is of no log")
    else:
        node, last = older - 1, size - 1
        while node % 2 == 1:
            node, last = node >> 1, last >> 1
        # Where the older tree is a subtree, its root is the first hash.
        start, rest = (older_root, path) if older & (older - 1) == 0 else (path[0] if path else b"", path[1:])
        value, other = climb(start, node, last, rest, start)
        require(value == root and other == older_root, "the log does not go on from the older checkpoint")
    print(f"PROVED that the log of {size} events begins with the {older} of the older checkpoint")


CHECKS = {"eventmail inclusion": check_inclusion, "eventmail consistency": check_consistency}


def check(octets, key, further=None):
    """Raises NotProved."""
    try:
        proof = json.loads(octets.decode())
        require(type(proof) is dict and proof["proof"] in CHECKS and proof["version"] == 1, "this is no proof, or of a newer format")
        CHECKS[proof["proof"]](proof, read_key(key), further)
    # Whatever it is that cannot be read: it proves nothing.
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise NotProved(f"it cannot be read: {error!r}") from error


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    try:
        with open(sys.argv[1], "rb") as given:
            check(given.read(), *sys.argv[2:])
    except (NotProved, OSError) as refused:
        sys.exit(f"NOT PROVED: {refused}")
