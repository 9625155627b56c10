# SPDX-License-Identifier: Apache-2.0
# Sends malformed ARP and NDP frames for two Service addresses out of an interface:
# INTERFACE IPV4 IPV6.
import os, random, socket, struct, sys

interface, v4, v6 = sys.argv[1], socket.inet_aton(sys.argv[2]), socket.inet_pton(socket.AF_INET6, sys.argv[3])
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind((interface, 0))
mac = link.getsockname()[4]
source = socket.inet_pton(socket.AF_INET6, "fe80::bad")
group = b"\xff\x02" + b"\x00" * 9 + b"\x01\xff" + v6[13:]


def total(data):
    data += b"\x00" * (len(data) % 2)
    value = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return ~value & 0xFFFF


def arp(operation=1, hardware=1, sizes=b"\x06\x04", sender=mac):
    body = struct.pack("!HH", hardware, 0x0800) + sizes + struct.pack("!H", operation)
    return b"\xff" * 6 + mac + b"\x08\x06" + body + sender + b"\xc0\x00\x02\x64" + b"\x00" * 6 + v4


def ndp(options=b"\x01\x01" + mac, hops=255, code=0, target=v6, good=True):
    body = struct.pack("!BBHI", 135, code, 0, 0) + target + options
    pseudo = source + group + struct.pack("!II", len(body), 58)
    check = total(pseudo + body) if good else 0x1234
    body = body[:2] + struct.pack("!H", check) + body[4:]
    head = struct.pack("!IHBB", 6 << 28, len(body), 58, hops) + source + group
    return b"\x33\x33\xff" + v6[13:] + mac + b"\x86\xdd" + head + body


frames = [
    arp(operation=0), arp(operation=65535), arp(hardware=6), arp(sizes=b"\xff\xff"), arp(sizes=b"\x00\x00"),
    arp(sender=b"\xff" * 6), ndp(options=b"\x01\x00" + mac), ndp(options=b"\x01\xff" + mac), ndp(hops=64),
    ndp(code=7), ndp(target=b"\xff\x02" + b"\x00" * 14), ndp(good=False), ndp(options=b"\x01" * 1400),
]
cut = [frame[:length] for frame in (arp(), ndp()) for length in range(14, len(frame))]
random.seed(7)
noise = [kind[:14] + random.randbytes(random.randint(0, 1400)) for kind in (arp(), ndp()) for _ in range(300)]
for frame in frames + cut + noise:
    link.send(frame)
print(len(frames + cut + noise))
