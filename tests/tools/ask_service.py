#!/usr/bin/env python3
"""Asks `twinage serve` what its clients ask: ask_service.py LOG PROCESS EXPECTED.jsonl [--only-end]

LOG is what it printed, EXPECTED what predict said of the pictures. Exits with 1 and says what does not hold.
"""
import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
import time


def expect(what, holds):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(what)


def address(log):
    for _ in range(600):
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", open(log).read())
        if found:
            return int(found.group(1))
        time.sleep(0.1)
    sys.exit("FAILED: it never said where it is: " + open(log).read())


PORT = address(sys.argv[1])
PROCESS = int(sys.argv[2])
EXPECTED = [json.loads(line) for line in open(sys.argv[3])]


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, dict(answer.getheaders())


def read(path):
    return ask("POST", "/read", open(path, "rb").read())


def form(paths):
    boundary = "a-line-that-no-picture-has"
    body = b""
    for i, path in enumerate(paths):
        body += (f"--{boundary}\r\nContent-Disposition: form-data; name=\"p{i:03}\"; filename=\"{path}\"\r\n"
                 "Content-Type: image/jpeg\r\n\r\n").encode() + open(path, "rb").read() + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def same(got, expected):
    return {k: v for k, v in got.items() if k != "image"} == {k: v for k, v in expected.items() if k != "image"}


def ends():
    """A question that was asked before the end is answered."""
    answers = []
    paths = [x["image"] for x in EXPECTED]
    threads = [threading.Thread(target=lambda p=p: answers.append(read(p)[0])) for p in paths]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    os.kill(PROCESS, signal.SIGTERM)
    for thread in threads:
        thread.join()
    for _ in range(300):
        if not os.path.exists(f"/proc/{PROCESS}") or open(f"/proc/{PROCESS}/stat").read().split()[2] == "Z":
            break
        time.sleep(0.1)
    else:
        sys.exit("FAILED: it does not end")
    expect("what was asked before its end is answered", all(s == 200 for s in answers) and len(answers) == len(paths))


def main():
    if "--only-end" in sys.argv:
        return ends()
    expect("it is there", ask("GET", "/health")[:2] == (200, "ok\n"))
    expect("it says how to ask", "POST /read" in ask("GET", "/")[1])
    model = json.loads(ask("GET", "/model")[1])
    expect("it says what it is", model["preset"] == "tiny" and model["most_pictures"] == 8)
    first = EXPECTED[0]
    status, text, _ = read(first["image"])
    expect("a picture is read as by predict", status == 200 and same(json.loads(text), first))
    paths = [x["image"] for x in EXPECTED[:8]]
    status, text, _ = ask("POST", "/read", *form(paths))
    expect("several in one form", status == 200 and json.loads(text) == EXPECTED[:8])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        many = list(pool.map(lambda i: (i, read(EXPECTED[i % 12]["image"])), range(120)))
    expect("many at once, each with its own answer",
           all(a[0] == 200 and same(json.loads(a[1]), EXPECTED[i % 12]) for i, a in many))

    expect("what is no picture: 422", (lambda a: a[0] == 422 and "it is not a picture" in a[1])(ask("POST", "/read", b"hello")))
    open("words.jpg", "w").write("hello")
    status, text, _ = ask("POST", "/read", *form([paths[0], "words.jpg"]))
    expect("one of two is no picture", status == 200 and [("error" in x) for x in json.loads(text)] == [False, True])
    expect("nothing at all: 400", ask("POST", "/read", b"")[0] == 400)
    expect("more bytes than are taken: 413", ask("POST", "/read", b"x" * 300_000)[0] == 413)
    expect("more pictures than are taken: 413", ask("POST", "/read", *form(paths + [paths[0]]))[0] == 413)
    expect("nothing else is there: 404", ask("GET", "/../run/config.toml")[0] == 404)
    expect("another method: 404", ask("GET", "/read")[0] == 404)
    expect("another site's name is refused: 421", ask("GET", "/health", headers={"Host": "example.org"})[0] == 421)
    status, text, headers = ask("GET", "/metrics")
    expect("counts for Prometheus", status == 200 and 'twinage_requests_total{status="422"} 1' in text
           and headers["Content-Type"].startswith("text/plain; version=0.0.4"))

    # Clients that fall silent, and rubbish, while others are answered.
    silent = []
    for start in (b"", b"POST /read HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 1000\r\n\r\nabc" % PORT,
                  b"GET /he", b"\x16\x03\x01\x02\x00\x01", b"POST /read HTTP/9.9\r\n" * 3) * 3:
        s = socket.create_connection(("127.0.0.1", PORT))
        s.sendall(start)
        silent.append(s)
    begin = time.time()
    expect("beside silent clients others are answered", read(first["image"])[0] == 200 and time.time() - begin < 20)
    time.sleep(2.5)
    closed = 0
    for s in silent:
        s.settimeout(5)
        try:
            while s.recv(4096):
                pass
            closed += 1
        except (ConnectionError, socket.timeout):
            closed += isinstance(sys.exc_info()[1], ConnectionError)
    expect("who falls silent is cut off", closed == len(silent))
    expect("and it goes on", ask("GET", "/health")[0] == 200)
    ends()


if __name__ == "__main__":
    main()
