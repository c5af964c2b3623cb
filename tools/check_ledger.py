#!/usr/bin/env python3
"""Checks a ledger from outside the office, with nothing of the office's own programs.

    check_ledger.py LEDGER --server-key HEX [--server-key HEX …] [--heads FILE]

LEDGER is what `qorgan export-ledger` wrote. The key is the office's, as a tablet or a printed sheet shows it. FILE has
one line a head, "epoch position head", as tablets and people outside noted it at some time. Needs Python 3.11 and the
package `cryptography`. Follows PROTOCOL.md P5-P12 and P22. Prints what is wrong.
Exit codes: 0 whole; 1 not whole; 2 a file is missing.
"""

import argparse
import base64
import hashlib
import json
import sys
import uuid
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Broken(Exception):
    """The ledger is wrong at this place; nothing behind it can be trusted."""


def sha256(data):
    return hashlib.sha256(data).digest()


def raw(id_):
    return uuid.UUID(id_).bytes


def genesis(device, subject):
    """The id before the first operation of a device on a subject (P6)."""
    return sha256(b"qorgan/chain/1\n" + raw(device) + raw(subject))


def is_sealed(key, device, subject, last, last_id, seal):
    """Whether a device vouches for its chain this far (P11)."""
    message = b"qorgan/seal/1\n" + raw(device) + raw(subject) + last.to_bytes(8, "big") + last_id
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(base64.b64decode(seal, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def frames(lines):
    """(position, header, operation lines) of each frame of an export."""
    at = 0
    while at < len(lines):
        try:
            position = json.loads(lines[at])["position"]
            header = json.loads(lines[at + 1])
            body = lines[at + 2 : at + 2 + header["count"]]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise Broken(f"line {at + 1} cannot be read") from error
        if len(body) != header["count"] or not body:
            raise Broken(f"position {position}: lines are missing")
        yield position, header, body
        at += 2 + header["count"]


class Ledger:
    """What follows from the frames alone, one after the other."""

    def __init__(self, server_keys):
        self.roots = set(server_keys)
        self.keys = {}
        self.servers = set()
        self.chains = {}
        self.heads = [(0, bytes(32))]
        self.epochs = {1: 0}
        self.operations = 0

    def take(self, position, header, body):
        """Checks one frame against those before it. Raises Broken."""
        device, subject = header["device"], header["subject"]
        last_position, head = self.heads[-1]
        if position <= last_position:
            raise Broken(f"position {position} stands behind {last_position}")
        seq, before = self.chains.get((device, subject), (0, genesis(device, subject)))
        if header["first"] != seq + 1 or header["prev"] != before.hex():
            raise Broken(f"position {position}: does not follow operation {seq} of its chain")
        for line in body:
            before = sha256(before + line)
        last = seq + len(body)
        self.learn(position, header, body, before, last)
        if not any(is_sealed(key, device, subject, last, before, header["seal"]) for key in self.keys.get(device, ())):
            raise Broken(f"position {position}: no key that is known of device {device} made its seal")
        self.chains[device, subject] = (last, before)
        self.heads.append((position, sha256(head + before)))
        self.operations += len(body)

    def learn(self, position, header, body, last_id, last):
        """Keys of devices, as frames of a server name them; a server is one whose seal a given key made."""
        device = header["device"]
        if device not in self.servers:
            for key in self.roots:
                if is_sealed(key, device, header["subject"], last, last_id, header["seal"]):
                    self.servers.add(device)
                    self.keys.setdefault(device, set()).add(key)
        if device not in self.servers:
            return
        for line in body:
            try:
                said = json.loads(line)
                kind, words = said["kind"], said["body"]
                if kind == "device_enrolled":
                    self.keys.setdefault(words["device"], set()).add(words["sign_key"])
                elif kind == "server_named":
                    self.roots.add(words["key"])
                elif kind == "epoch_begun":
                    self.epochs[int(words["epoch"])] = int(words["position"])
            except (ValueError, KeyError, TypeError):
                continue

    def head_at(self, position):
        """The head that stood at a position."""
        return next(head for at, head in reversed(self.heads) if at <= position)


def disagreements(ledger, end, end_head, witnesses):
    """What those outside hold that this ledger does not contain."""
    if ledger.heads[-1][1].hex() != end_head:
        yield "the head of the whole ledger does not follow from its frames"
    if ledger.heads[-1][0] > end:
        yield "frames stand behind the end of the ledger"
    for epoch, position, head in witnesses:
        cut = min((at for number, at in ledger.epochs.items() if number > epoch), default=None)
        if cut is not None and position > cut:
            print(f"note: head of position {position} was seen before a restore to {cut} and cannot be compared")
        elif epoch not in ledger.epochs:
            yield f"epoch {epoch} was seen and is not in the ledger"
        elif position > end:
            yield f"position {position} was seen, the ledger ends at {end}"
        elif ledger.head_at(position).hex() != head:
            yield f"at position {position} another head was seen: what lies there was changed, taken out or put in"


def check(export, server_keys, witnesses):
    """What is wrong, one sentence each; and the ledger as far as it could be read."""
    lines = export.split(b"\n")
    ledger = Ledger(server_keys)
    if lines.pop() != b"":
        return ["the file is cut short"], ledger
    try:
        top = json.loads(lines[0])
        end, end_head = top["position"], top["head"]
        for position, header, body in frames(lines[1:]):
            ledger.take(position, header, body)
    except Broken as broken:
        return [str(broken)], ledger
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return [f"cannot be read: {type(error).__name__} {error}"], ledger
    return list(disagreements(ledger, end, end_head, witnesses)), ledger


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--server-key", action="append", required=True, metavar="HEX", help="64 hex digits")
    parser.add_argument("--heads", type=Path, metavar="FILE", help='lines "epoch position head"')
    given = parser.parse_args()
    try:
        seen = given.heads.read_text().split("\n") if given.heads else []
        witnesses = [(int(e), int(p), h) for e, p, h in (line.split() for line in seen if line.strip())]
        export = given.ledger.read_bytes()
    except (OSError, ValueError) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 2
    wrong, ledger = check(export, given.server_key, witnesses)
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    if wrong:
        return 1
    print(f"whole: {len(ledger.heads) - 1} frames, {ledger.operations} operations, {len(witnesses)} heads from outside")
    return 0


if __name__ == "__main__":
    sys.exit(main())
