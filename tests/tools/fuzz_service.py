#!/usr/bin/env python3
"""Sends broken requests to a running `twinage serve`: fuzz_service.py PORT PICTURE [COUNT] [SEED]

Each is a good one (a picture as the body, as a form, in chunks; /model, /metrics) of which something was changed:
bytes, lengths, names of headers, the form's lines, its end. After every 50 the service has to be there and to read
PICTURE as before. The same seed sends the same. Exits with 1 and says after which requests it was not.
"""
import collections
import json
import random
import re
import socket
import sys

PORT = int(sys.argv[1])
PICTURE = open(sys.argv[2], "rb").read()
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
HOST = b"Host: 127.0.0.1:%d\r\n" % PORT
BOUNDARY = b"a-line-that-no-picture-has"


def form(random_):
    body = b""
    for i in range(random_.randint(1, 4)):
        body += b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="p%d"; filename="%d.jpg"\r\n' % (i, i)
        body += b"Content-Type: image/jpeg\r\n\r\n" + PICTURE + b"\r\n"
    return body + b"--" + BOUNDARY + b"--\r\n"


def good(random_):
    kind = random_.randrange(6)
    if kind == 0:
        return b"GET /model HTTP/1.1\r\n" + HOST + b"\r\n"
    if kind == 1:
        return b"GET /metrics HTTP/1.1\r\n" + HOST + b"Accept-Encoding: gzip\r\n\r\n"
    if kind == 2:
        chunks = b"".join(b"%x\r\n" % len(part) + part + b"\r\n" for part in (PICTURE[:700], PICTURE[700:]) if part)
        return b"POST /read HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    if kind == 3:
        return b"POST /read HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
    body = form(random_)
    return (b"POST /read HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=" + BOUNDARY +
            b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


NUMBERS = [b"0", b"-1", b"1", b"18446744073709551615", b"18446744073709551616", b"4294967296", b"1e9", b"0x10", b"", b"ffffffffffffffff"]
LINES = [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Range: bytes=0-18446744073709551615\r\n", b"Expect: 100-continue\r\n",
         b"Content-Encoding: gzip\r\n", b"Connection: close\r\n", b"X: " + b"a" * 9000 + b"\r\n", b": \r\n", b"\0\0\r\n", b"Content-Type: multipart/form-data; boundary=\r\n",
         b"Content-Type: multipart/form-data; boundary=" + b"b" * 300 + b"\r\n", b"Content-Type: application/x-www-form-urlencoded\r\n"]


def broken(random_):
    request = bytearray(good(random_))
    for _ in range(random_.randint(1, 4)):
        head = max(1, request.find(b"\r\n\r\n"))
        near = head if random_.random() < 0.7 else len(request)  # most of what can go wrong is in the head
        at = random_.randrange(max(1, min(near, len(request))))
        kind = random_.randrange(9)
        if kind == 0 and request:
            request[at] = random_.randrange(256)
        elif kind == 1:
            del request[at:at + random_.randint(1, 40)]
        elif kind == 2:
            request[at:at] = bytes(random_.randrange(256) for _ in range(random_.randint(1, 20)))
        elif kind == 3:
            request = request[:at]
        elif kind == 4:
            numbers = list(re.finditer(rb"\d+", bytes(request[:head])))
            if numbers:
                n = random_.choice(numbers)
                request[n.start():n.end()] = random_.choice(NUMBERS)
        elif kind == 5:
            line = request.find(b"\r\n") + 2
            request[line:line] = random_.choice(LINES)
        elif kind == 6:
            request[at:at] = request[at:at + random_.randint(1, 200)]
        elif kind == 7:
            request = bytearray(bytes(request).replace(b"\r\n", random_.choice([b"\n", b"\r", b"\r\n\r\n", b"\0"]), random_.randint(1, 5)))
        else:
            request += good(random_)
    return bytes(request)


def send(request):
    """The status of the first answer; 0 where it closed without one."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=30) as s:
        try:
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while part := s.recv(65536):
                answer += part
        except OSError:  # it has closed it already
            return 0
    found = re.match(rb"HTTP/1\.[01] (\d+)", answer)
    return int(found.group(1)) if found else 0


def reading():
    with socket.create_connection(("127.0.0.1", PORT), timeout=60) as s:
        s.sendall(b"POST /read HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE)
        answer = b""
        while part := s.recv(65536):
            answer += part
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


def main():
    expected = reading()
    random_ = random.Random(SEED)
    statuses = collections.Counter()
    for i in range(COUNT):
        statuses[send(broken(random_))] += 1
        if i % 50 == 49 or i == COUNT - 1:
            try:
                same = reading() == expected
            except (OSError, ValueError, IndexError) as error:
                sys.exit(f"FAILED: after request {i + 1} of seed {SEED} it does not answer: {error}")
            if not same:
                sys.exit(f"FAILED: after request {i + 1} of seed {SEED} it reads the picture otherwise")
    print(f"{COUNT} broken requests, answered with " + ", ".join(f"{n} x {s or 'nothing'}" for s, n in sorted(statuses.items())))


if __name__ == "__main__":
    main()
