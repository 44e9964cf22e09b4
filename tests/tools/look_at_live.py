#!/usr/bin/env python3
"""Looks at `twinage train --live` as browsers do, honest ones and others: look_at_live.py LOG [--only-watch]

LOG is what the training printed. Exits with 1 and says what does not hold.
"""

import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def addresses(log):
    for _ in range(600):
        found = re.findall(r"http://127\.0\.0\.1:\d+/\S*", open(log).read())
        if len(found) == 2:
            return found
        time.sleep(0.1)
    sys.exit("no addresses were printed")


def ask(url, data=None, host=None):
    """(status, text)"""
    request = urllib.request.Request(url, data=data, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def expect(what, holds):
    if not holds:
        sys.exit(f"does not hold: {what}")


def watch(url):
    """Comes and goes until the training has ended."""
    seen = 0
    for _ in range(3000):
        try:
            seen += ask(url + "main")[0] == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            break
    expect("the page was seen while training", seen > 0)


def main():
    plain, with_token = addresses(sys.argv[1])
    if "--only-watch" in sys.argv:
        return watch(plain)
    token = urllib.parse.parse_qs(urllib.parse.urlparse(with_token).query)["token"][0]
    status, page = ask(plain)
    expect("the page is there", status == 200 and "While it learnt" in page)
    expect("it refreshes itself", 'data-url="/main"' in page)
    expect("without the token it has no button", "<form" not in page and token not in page)
    expect("with a wrong token neither", "<form" not in ask(plain + "?token=" + "0" * 32)[1])
    expect("with the token it has one", "<form" in ask(with_token)[1])
    expect("its content is there alone", ask(plain + "main")[1].startswith("<h1>"))
    expect("its numbers are there", '"sections"' in ask(plain + "numbers.json")[1])
    expect("another site's name is refused", ask(plain, host="example.org")[0] == 421)
    expect("nothing else is there", ask(plain + "../config.toml")[0] == 404)
    for data in (b"", b"token=", b"token=" + b"0" * 32):
        expect("who has no token stops nothing", ask(plain + "stop", data)[0] == 403)
    expect("nor does a visit", ask(plain + "stop?token=" + token)[0] == 404)
    expect("the training goes on", ask(plain)[0] == 200)
    status, text = ask(plain + "stop", b"token=" + token.encode())
    expect("the button stops it", status == 200 and "saves its state" in text)


if __name__ == "__main__":
    main()
