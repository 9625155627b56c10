# SPDX-License-Identifier: Apache-2.0
# BGP peers that break the rules, one on each address of the command line (CASE=ADDRESS). Each says
# what it was told for it: "CASE CODE/SUBCODE", or "CASE alive" where the session lives on.
import os, socket, struct, sys, threading, time

MARK = b"\xff" * 16


def message(kind, body=b"", length=None, mark=MARK):
    return mark + struct.pack("!HB", 19 + len(body) if length is None else length, kind) + body


def open_(version=4, asn=64500, hold=9, ident=b"\x0a\x00\x00\x01"):
    capabilities = b"\x01\x04\x00\x01\x00\x01" + b"\x41\x04" + struct.pack("!I", asn)
    parameter = bytes([2, len(capabilities)]) + capabilities
    head = struct.pack("!BHH", version, asn, hold) + ident
    return message(1, head + bytes([len(parameter)]) + parameter)


def attributes(*parts):
    joined = b"".join(parts)
    return struct.pack("!HH", 0, len(joined)) + joined


ORIGIN, BAD_ORIGIN = b"\x40\x01\x01\x00", b"\x40\x01\x01\x09"
PATH = b"\x40\x02\x06\x02\x01" + struct.pack("!I", 64500)
HOP = b"\x40\x03\x04\xc0\x00\x02\x01"
ROUTE = b"\x18\xc6\x12\x00"
KEEPALIVE = message(4)

# Sent in place of an OPEN, or after the session is up.
FIRST = {
    "marker": message(4, mark=b"\x00" * 16),
    "short": message(4, length=18),
    "long": message(1, length=65535) + b"\x00" * 4096,
    "type": message(9),
    "random": os.urandom(4096),
    "version": open_(version=3),
    "hold": open_(hold=1),
    "ident": open_(ident=b"\x00" * 4),
    "asn": open_(asn=64999),
    "early": message(2, attributes(ORIGIN, PATH, HOP) + ROUTE),
}
LATER = {
    "keepalive": message(4, b"\x00"),
    "attributes": message(2, struct.pack("!HH", 0, 4000) + ORIGIN),
    "again": open_(),
    "withdraw": message(2, attributes(BAD_ORIGIN, PATH, HOP) + ROUTE),
}


def say(case, word):
    # One write: print() writes piece by piece, and the threads would mix their lines.
    sys.stdout.write("%s %s\n" % (case, word))
    sys.stdout.flush()


def receive(peer):
    head = b""
    while len(head) < 19:
        part = peer.recv(19 - len(head))
        if not part:
            return None, b""
        head += part
    length, kind = struct.unpack("!HB", head[16:])
    body = b""
    while len(body) < length - 19:
        body += peer.recv(length - 19 - len(body))
    return kind, body


def play(case, peer):
    peer.settimeout(20)
    receive(peer)
    if case in FIRST:
        peer.sendall(FIRST[case])
    else:
        peer.sendall(open_() + KEEPALIVE)
        while receive(peer)[0] != 4:
            pass
        peer.sendall(LATER[case])
    keepalives = 0
    while keepalives < 2:
        kind, body = receive(peer)
        if kind is None:
            return "closed"
        if kind == 3:
            return "%d/%d" % (body[0], body[1])
        if kind == 4:
            keepalives += 1
            peer.sendall(KEEPALIVE)
    say(case, "alive")
    while receive(peer)[0] == 4:
        peer.sendall(KEEPALIVE)
    return "lost"


def serve(case, address):
    listener = socket.create_server((address, 179))
    while True:
        peer, _ = listener.accept()
        try:
            say(case, play(case, peer))
        except OSError as error:
            say(case, "failed %s" % error)
        peer.close()


for word in sys.argv[1:]:
    threading.Thread(target=serve, args=word.split("="), daemon=True).start()
print("ready", flush=True)
time.sleep(600)
