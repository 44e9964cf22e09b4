#!/usr/bin/env python3
"""Opens pages of `twinage report` in headless Chromium: look_in_chromium.py PAGE... --out FOLDER [--axe axe.min.js]

Each at 360 and 1400 pixels, light and dark: a screenshot NAME-WIDTH-COLOURS.png, and a line for each message on
the console, each thing that is wider than the window and, with --axe (axe-core, of PyPI's axe-playwright-python),
each rule of accessibility that does not hold. Exits with 1 if there is a line. Not part of the tests: Chromium is
large. tests/tools/look_at_page.py does what needs no browser.
"""

import argparse
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile

WIDTHS = (360, 1400)
COLOURS = {"light": "1", "dark": "0"}  # Blink's numbers

# Runs in the page, after it has been drawn; what it finds is the text of <pre id=found>.
PROBE = """
addEventListener('load', async () => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const found = {wide, charts: document.querySelectorAll('svg').length, violations: []};
  document.querySelectorAll('svg').forEach(svg => {
    const marks = svg.querySelectorAll('path, polyline, polygon, rect, circle');
    if (![...marks].some(m => m.getBoundingClientRect().width > 0 || m.closest('details:not([open])')))
      found.violations.push('a chart without marks: ' + svg.textContent.trim().slice(0, 60));
  });
  if (window.axe) {
    const result = await axe.run(document, {resultTypes: ['violations']});
    for (const v of result.violations)
      found.violations.push(`${v.id} (${v.impact}): ${v.help}: ${v.nodes.length} x, such as ${v.nodes[0].html.slice(0, 120)}`);
  }
  const pre = document.createElement('pre');
  pre.id = 'found';
  pre.textContent = JSON.stringify(found);
  document.body.append(pre);
});
"""


def chromium(colours, *options):
    return subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
         f"--blink-settings=preferredColorScheme={COLOURS[colours]}", "--virtual-time-budget=20000",
         "--allow-file-access-from-files", *options],
        capture_output=True, text=True, timeout=240)


def framed(page, width, height):
    """Chromium's windows are no narrower than 500 pixels; a frame is."""
    return (f'<!doctype html><style>body{{margin:0}}iframe{{border:0;display:block}}</style>'
            f'<iframe width="{width}" height="{height}" src="{page.as_uri()}"></iframe>')


def problems_of(page, width, colours, folder, work, axe):
    text = page.read_text(encoding="utf-8")
    probed = work / "probed.html"
    scripts = "".join(f"<script>{s}</script>" for s in ([axe] if axe else []) + [PROBE])
    probed.write_text(text.replace("</body>", scripts + "</body>") if "</body>" in text else text + scripts)
    frame = work / "frame.html"
    height = 3000 if width > 500 else 5000
    frame.write_text(framed(page, width, height))
    shot = folder / f"{page.stem}-{width}-{colours}.png"
    drawn = chromium(colours, f"--window-size={max(width, 500)},{height}", f"--screenshot={shot}", frame.as_uri())
    if not shot.exists():
        yield "no screenshot: " + drawn.stderr[-300:]
    for line in re.findall(r"CONSOLE.*", drawn.stderr):
        yield "console: " + line
    # Measured in a frame of that width, too: the probe's text comes out by the frame's own title.
    frame.write_text(framed(probed, width, height) + """<script>
      const wait = setInterval(() => {
        const found = document.querySelector('iframe').contentDocument?.getElementById('found');
        if (!found) return;
        clearInterval(wait);
        const copy = document.createElement('pre');
        copy.id = 'copy';
        copy.textContent = found.textContent;
        document.body.append(copy);
      }, 50);</script>""")
    dump = chromium(colours, f"--window-size={max(width, 500)},{height}", "--dump-dom", frame.as_uri())
    match = re.search(r'<pre id="copy">(.*?)</pre>', dump.stdout, re.S)
    if not match:
        yield "the probe found nothing: " + dump.stderr[-300:]
        return
    found = json.loads(html.unescape(match.group(1)))
    if found["wide"] > 0:
        yield f"{found['wide']} pixels wider than the window"
    if not found["charts"]:
        yield "no chart"
    yield from found["violations"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--axe", type=pathlib.Path)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    axe = asked.axe.read_text(encoding="utf-8") if asked.axe else None
    count = 0
    with tempfile.TemporaryDirectory() as work:
        for page in asked.pages:
            for width in WIDTHS:
                for colours in COLOURS:
                    for problem in problems_of(page.resolve(), width, colours, asked.out, pathlib.Path(work), axe):
                        print(f"{page.name} at {width}, {colours}: {problem}")
                        count += 1
    print(f"{len(asked.pages)} pages, {len(WIDTHS) * len(COLOURS)} views of each: {count} problems")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
