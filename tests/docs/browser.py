#!/usr/bin/env python3
"""Opens reports (`report::html`) in headless Chromium, and looks at them as a reader does.

    python3 browser.py REPORT.html ...          exits with 77 where there is no Chromium
    python3 browser.py --pictures FOLDER REPORT.html     also writes pictures of it: light, dark, narrow, on paper

A page must be well-formed XML behind its first line, with unique ids and under 300 kB; at 400 and at 1000 px nothing
may be wider than the page, no picture may be empty and no letter smaller than 8.5 px; its policy must hold (nothing is
asked for, nothing runs), and the console must be silent.
"""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

MOST_BYTES = 300_000
LEAST_LETTER = 8.5  # px on the screen
NARROW, BROAD = 400, 1000

# Runs in the frame that holds the page, once it is laid out.
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
  const found = look(document.querySelector('iframe'));
  found.requests = performance.getEntriesByType('resource').map(each => each.name);
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
    # The page's own policy refuses scripts, also this frame's: it is asked from outside.
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
            "top": ["--window-size=900,760"],
            "light": ["--window-size=1000,3400"],
            "dark": ["--window-size=1000,3400", "--blink-settings=preferredColorScheme=0"],
            "narrow": ["--window-size=500,6000"],  # as narrow as a window of Chromium's can be
        }.items():
            run(browser, temporary, [*arguments, f"--screenshot={folder}/{name}.png", path.as_uri()])
        run(browser, temporary, [f"--print-to-pdf={folder}/paper.pdf", "--no-pdf-header-footer", path.as_uri()])


def main(words):
    browser = chromium()
    if not browser:
        print("no Chromium here")
        return 77
    if words[:1] == ["--pictures"]:
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
