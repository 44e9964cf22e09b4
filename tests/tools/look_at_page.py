#!/usr/bin/env python3
"""Reads a page of `twinage report` as a browser would: look_at_page.py PAGE [--sections ID...] ...

Every tag is closed, every id is there once, every link leads somewhere on the page and nowhere else;
every chart has marks, a title and a description, and a caption that says of how many faces; no number is
NaN; pictures are JPEG. Exits with 1 and a line for each thing that does not hold.
"""

import argparse
import base64
import html.parser
import json
import re
import sys

VOID = {"meta", "input", "br", "hr", "img", "link", "path", "rect", "line", "circle", "polyline", "polygon"}
MARKS = {"path", "polyline", "polygon", "rect", "circle"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.problems = [], [], [], []
        self.charts, self.maps, self.headings = [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        if tag == "svg":
            self.charts.append({"marks": 0, "words": {"title": "", "desc": ""}, "figure": "figure" in self.open})
        elif tag in MARKS and self.charts:
            self.charts[-1]["marks"] += 1
        if attributes.get("class") == "map":
            self.maps.append(json.loads(attributes["data-points"]))
        for name, value in attributes.items():
            if re.search(r"\bnan\b|\binf\b", value or "", re.I) and name not in ("aria-label", "data-points"):
                self.problems.append(f"<{tag} {name}=\"{value[:60]}\">: no number")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"line {self.getpos()[0]}: </{tag}> closes nothing")

    def handle_data(self, data):
        if self.open and self.open[-1] in ("title", "desc") and "svg" in self.open:
            self.charts[-1]["words"][self.open[-1]] += data
        if self.open and self.open[-1] == "h3":
            self.headings.append(data)


def problems_of(text, asked):
    page = Page()
    page.feed(text)
    yield from page.problems
    if page.open:
        yield f"never closed: {page.open}"
    for name in {i for i in page.ids if page.ids.count(i) > 1}:
        yield f"id {name} is there {page.ids.count(name)} times"
    for link in page.links:
        if not link.startswith("#") or link[1:] not in page.ids:
            yield f"a link to {link!r} leads nowhere"
    for name in asked.sections:
        if f"s-{name}" not in page.ids:
            yield f"section {name} is missing"
    if len(page.charts) < asked.least_figures:
        yield f"{len(page.charts)} charts, expected at least {asked.least_figures}"
    for chart in page.charts:
        words = chart["words"]
        if chart["marks"] < 1 or not words["title"].strip() or not words["desc"].strip():
            yield f"chart {words['title']!r}: {chart['marks']} marks, description {words['desc']!r}"
    faces = json.loads(re.search(r'id="faces">(.*?)</script>', text, re.S).group(1))
    for points in page.maps:
        if not points or any(not 0 <= x <= 400 or not 0 <= y <= 400 or i >= len(faces["faces"]) for x, y, i in points):
            yield "a map whose points are not in it, or of no face"
    pictures = re.findall(r"data:image/jpeg;base64,([^)]*)\)", text)
    if asked.pictures is not None and bool(pictures) != asked.pictures:
        yield f"{len(pictures)} sheets of pictures"
    for picture in pictures:
        data = base64.b64decode(picture, validate=True)
        if data[:2] != b"\xff\xd8" or data[-2:] != b"\xff\xd9":
            yield "a sheet that is no JPEG"
    outside = [u for u in re.findall(r"https?:[^\s\"'<)]*", text) if not u.startswith("http://www.w3.org/2000/svg")]
    if outside:
        yield f"asks for {outside[:3]}"
    for heading in page.headings:
        if asked.without and asked.without in heading:
            yield f"a figure {heading!r}, of which there is nothing to show"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page")
    parser.add_argument("--sections", nargs="+", default=[])
    parser.add_argument("--least-figures", type=int, default=0)
    parser.add_argument("--pictures", action=argparse.BooleanOptionalAction)
    parser.add_argument("--without")
    asked = parser.parse_args()
    problems = list(problems_of(open(asked.page, encoding="utf-8").read(), asked))
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
