#!/usr/bin/env python3
"""Checks a proof that `eventmail audit prove` wrote, with Python and openssl and nothing of EventMail.

    check-proof.py PROOF KEY [FILE.eml]

KEY is the log's public key, as `eventmail audit key` prints it, from somebody you trust.
"""
import base64
import hashlib
import json
import subprocess
import sys
import tempfile


def sha256(octets):
    return hashlib.sha256(octets).digest()


def require(holds, otherwise):
    if not holds:
        sys.exit("NOT PROVED: " + otherwise)


def read_key(text):
    """C2SP signed-note: name+hash+base64(0x01, Ed25519 key)."""
    name, number, encoded = text.strip().split("+", 2)
    octets = base64.b64decode(encoded, validate=True)
    number_of = sha256(name.encode() + b"\n" + octets)[:4]
    require(len(octets) == 33 and octets[0] == 1 and number_of.hex() == number, "that is no public key")
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


def read_checkpoint(note, name, number, key):
    """The number of events and the root, when the key has signed them."""
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, who, encoded = line.split(" ")
        octets = base64.b64decode(encoded, validate=True)
        if (dash, who, octets[:4]) == ("\u2014", name, number) and is_signature(key, octets[4:], text.encode()):
            lines = text.split("\n")
            return int(lines[1]), base64.b64decode(lines[2], validate=True)
    sys.exit("NOT PROVED: the checkpoint is not signed by this key")


def root_of(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    require(0 <= index < size, "there is no such leaf")
    node, last, value = index, size - 1, leaf
    for other in path:
        require(last > 0, "a path is too long")
        if node % 2 == 1 or node == last:
            value = sha256(b"\x01" + other + value)
            while node % 2 == 0 and node > 0:
                node, last = node >> 1, last >> 1
        else:
            value = sha256(b"\x01" + value + other)
        node, last = node >> 1, last >> 1
    require(last == 0, "a path is too short")
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        proof = json.load(file)
    size, root = read_checkpoint(proof["checkpoint"], *read_key(sys.argv[2]))
    digests = []
    for event in proof["events"]:
        line = event["line"].encode()
        leaf = sha256(b"\x00" + event["position"].to_bytes(8, "big") + sha256(line))
        path = [base64.b64decode(value, validate=True) for value in event["path"]]
        require(root_of(leaf, event["index"], size, path) == root, f"event {event['position']} is not in the log")
        print(f"event {event['position']}: {event['line']}")
        digests.append((json.loads(line)["data"].get("Content") or {}).get("Sha256"))
    if len(sys.argv) > 3:
        with open(sys.argv[3], "rb") as file:
            require(sha256(file.read()).hex() in digests, "the message is another one")
    print(f"PROVED in the log of {size} events")


main()
