#!/usr/bin/env python3
"""Checks reports (`report::html`) in headless Chromium: what a reader would see of them, and what they ask for.

    python3 browser.py REPORT.html ...
    python3 browser.py --pictures FOLDER REPORT.html     also writes pictures of it: light, dark, narrow, on paper
    python3 browser.py --self-test                       sees that pages with a fault are told

Without Chromium it exits with 77, or with 1 where REGIMEN_REQUIRE_PEERS is set.

A page must be well-formed XML behind its first line, with unique ids and under 300 kB. At 400 and at 1000 px nothing
may be wider than the page, no picture may be empty and no letter smaller than 9 px. The page may ask for nothing, its
policy must be there, and the console must be silent.
"""

import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

MOST_BYTES = 300_000
LEAST_LETTER = 9  # px on the screen
NARROW, BROAD = 400, 1000

# JavaScript of the wrapper: measures the page in its frame once that is laid out.
LOOK = """
const look = frame => {
  const page = frame.contentDocument, root = page.documentElement, faults = [];
  const scrolls = element => element.parentElement.closest('.scroll');
  for (const each of page.querySelectorAll('body *')) {
    const box = each.getBoundingClientRect();
    if (box.right > root.clientWidth + 0.5 && !scrolls(each)) faults.push(`<${each.tagName}> ends at ${box.right} px`);
  }
  if (root.scrollWidth > root.clientWidth) faults.push(`the page is ${root.scrollWidth} px wide`);
  for (const svg of page.querySelectorAll('svg.p')) {
    const box = svg.getBoundingClientRect();
    if (box.width < 100 || box.height < 50) faults.push(`a picture is ${box.width} x ${box.height} px`);
    const by = box.width / svg.viewBox.baseVal.width;
    for (const text of svg.querySelectorAll('text')) {
      const size = by * parseFloat(text.getAttribute('font-size'));
      if (size < LEAST) faults.push(`"${text.textContent}" has letters of ${size.toFixed(1)} px`);
      const ends = text.getBoundingClientRect();
      if (ends.left < box.left - 1 || ends.right > box.right + 1) faults.push(`"${text.textContent}" is cut off`);
    }
  }
  return {width: root.clientWidth, pictures: page.querySelectorAll('svg.p').length, faults: [...new Set(faults)]};
};
addEventListener('load', () => {
  const frame = document.querySelector('iframe'), found = look(frame);
  // The frame has a list of its own: what the page in it asks for is not in that of this document.
  const asked = frame.contentWindow.performance.getEntriesByType('resource').map(each => each.name);
  found.requests = asked.filter(name => !name.startsWith('data:'));
  document.title = JSON.stringify(found);
});
"""


def chromium():
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


def run(browser, folder, arguments):
    """Standard output and error of the browser, whose own files lie in the folder."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--disable-background-networking", "--no-first-run", f"--user-data-dir={folder}/profile",
               "--hide-scrollbars", "--enable-logging=stderr", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    return done.stdout, done.stderr


def console(stderr):
    return [line for line in stderr.splitlines() if ":CONSOLE" in line]


def looked_at(browser, folder, text, width):
    """What LOOK finds in a frame of so many px, and the lines of the console."""
    wrapper = folder / f"at-{width}.html"
    script = LOOK.replace("LEAST", str(LEAST_LETTER))
    # The script stands in the wrapper, because the page's own policy refuses all scripts.
    wrapper.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><script>{script}</script>'
                       f'<iframe style="width:{width}px;height:3000px;border:0" srcdoc="{html.escape(text)}"></iframe>',
                       encoding="utf-8")
    out, err = run(browser, folder, [f"--window-size={width + 100},3100", "--dump-dom", wrapper.as_uri()])
    title = re.search(r"<title>(.*?)</title>", out, re.S)
    return (json.loads(html.unescape(title.group(1))) if title else None), console(err)


def faults_of(browser, path):
    text = path.read_text(encoding="utf-8")
    faults = []
    if len(text.encode()) > MOST_BYTES:
        faults.append(f"{len(text.encode())} bytes, more than {MOST_BYTES}")
    try:
        tree.fromstring(text.split("\n", 1)[1])
    except tree.ParseError as error:
        faults.append(f"not well-formed: {error}")
    ids = re.findall(r' id="([^"]*)"', text)
    faults += [f'the id "{each}" is given twice' for each in sorted({each for each in ids if ids.count(each) > 1})]
    if "Content-Security-Policy\" content=\"default-src 'none'" not in text:
        faults.append("no policy that refuses everything from elsewhere")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for width in (NARROW, BROAD):
            found, lines = looked_at(browser, folder, text, width)
            if not found or found["width"] != width or found["pictures"] == 0:
                faults.append(f"at {width} px the browser says nothing of it: {found}")
                continue
            faults += [f"at {width} px: {fault}" for fault in found["faults"]]
            faults += [f"asks for {request}" for request in found["requests"]]
            faults += [f"the console says: {line}" for line in lines]
    return faults


def draw(browser, path, folder):
    """Pictures of a report, for people."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name, arguments in {
            "top": ["--window-size=900,836"],
            "light": ["--window-size=1000,3400"],
            "dark": ["--window-size=1000,3400", "--blink-settings=preferredColorScheme=0"],
            "narrow": ["--window-size=500,6000"],  # as narrow as a window of Chromium's can be
        }.items():
            run(browser, temporary, [*arguments, f"--screenshot={folder}/{name}.png", path.as_uri()])
        run(browser, temporary, [f"--print-to-pdf={folder}/paper.pdf", "--no-pdf-header-footer", path.as_uri()])


def page(content, policy=True):
    """A page for the self-test, with a picture that has no fault."""
    element = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>"
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>{element if policy else ""}<title>t</title></head>'
            f'<body><svg xmlns="http://www.w3.org/2000/svg" class="p" width="200" height="100" viewBox="0 0 200 100">'
            f'<text x="9" y="20" font-size="12">fit</text></svg>{content}</body></html>')


def self_test(browser):
    """Pages with a fault each, and what is said of them."""
    asks = '<img alt="a" src="http://127.0.0.1:9/a.png"/>'
    cases = {
        "nothing": (page(""), ""),
        "asks": (page(asks, policy=False), "asks for http://127.0.0.1:9/a.png"),
        "asks in vain": (page(asks), "the console says: "),
        "no policy": (page("", policy=False), "no policy that refuses"),
        "wide": (page('<div style="width:2000px">wide</div>'), "at 400 px: the page is 2008 px wide"),
        "twice": (page('<p id="a">a</p><p id="a">a</p>'), 'the id "a" is given twice'),
        "small": (page("").replace('font-size="12"', 'font-size="8"'), '"fit" has letters of 8.0 px'),
    }
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, wanted) in cases.items():
            path = pathlib.Path(folder) / "page.html"
            path.write_text(text, encoding="utf-8")
            faults = faults_of(browser, path)
            if not (any(wanted in fault for fault in faults) if wanted else not faults):
                print(f'self-test "{name}": wanted {wanted or "no fault"}, but found {faults}')
                failed = 1
    return failed


def main(words):
    if not words:
        print("browser.py: no report is named: browser.py REPORT.html ...", file=sys.stderr)
        return 2
    browser = chromium()
    if not browser:
        print("no Chromium here: sh tools/install-packages.sh test")
        return 1 if os.environ.get("REGIMEN_REQUIRE_PEERS") else 77
    if words == ["--self-test"]:
        return self_test(browser)
    if words[0] == "--pictures":
        draw(browser, pathlib.Path(words[2]).resolve(), pathlib.Path(words[1]).resolve())
        words = words[2:]
    failed = 0
    for word in words:
        for fault in faults_of(browser, pathlib.Path(word).resolve()):
            print(f"{word}: {fault}")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
