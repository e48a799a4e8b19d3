#!/usr/bin/env python3
"""Draws a terminal session, read from standard input, as an SVG picture on standard output."""

import sys
from html import escape

WIDTH, SIZE, LEADING, MARGIN = 96, 14, 20, 18


def color(line):
    if line.startswith("$ "):
        return "#8be9a8"
    if line.startswith("error") or line.startswith("[exit code"):
        return "#ff8f8f"
    if line.strip().startswith("help:") or line.strip().startswith("caused by:"):
        return "#ffd580"
    return "#e6e6e6"


def wrapped(text):
    for line in text.rstrip("\n").split("\n"):
        while len(line) > WIDTH:
            yield line[:WIDTH]
            line = "    " + line[WIDTH:]
        yield line


def main():
    lines = list(wrapped(sys.stdin.read()))
    width = int(WIDTH * SIZE * 0.61) + 2 * MARGIN
    height = len(lines) * LEADING + 2 * MARGIN + 20
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="a terminal session" style="max-width:100%">')
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#1e1f26"/>')
    for number, dot in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")):
        print(f'<circle cx="{MARGIN + 6 + 18 * number}" cy="{MARGIN}" r="5" fill="{dot}"/>')
    for number, line in enumerate(lines):
        if line.strip():
            y = MARGIN + 20 + (number + 1) * LEADING - 6
            print(
                f'<text x="{MARGIN}" y="{y}" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="{SIZE}" '
                f'fill="{color(line)}" xml:space="preserve">{escape(line)}</text>'
            )
    print("</svg>")


main()
