#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The results of bench.sh, for people.

    chart.py bench.tsv [--limit SECONDS] [--svg FILE]

Prints a Markdown table, a column for each client; a cell is seconds, or MB/s
where bytes are what counts, how many times as fast as curl that is, requests,
bytes that came, processor time and peak memory of the daemon. Draws bars of
the seconds, on a logarithmic scale; a pale one is work that was not done
within the limit.
"""
import argparse
import csv
import math
from xml.sax.saxutils import escape

COLOURS = ["#9aa0a6", "#1a73e8", "#e8710a", "#129e5a", "#a142f4"]
LEFT, WIDTH, BAR, GAP, TOP = 270, 560, 9, 10, 48
LEAST = 0.01


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def speed(row):
    seconds, mb = number(row["seconds"]), number(row["mb"])
    if seconds is None:
        return row["seconds"]
    return f"{mb / seconds:,.0f} MB/s" if mb else f"{seconds:.2f} s"


def cell(row):
    if row is None:
        return ""
    parts = [speed(row)]
    if row["ratio"] != "-" and row["client"] != "curl":
        parts.append(f"{row['ratio']} of curl")
    if row["requests"] != "-":
        parts.append(f"{int(row['requests']):,} req")
        parts.append(f"{int(row['received']) / 1e6:,.1f} MB")
    if row["cpu_s"] != "-":
        parts.append(f"{row['cpu_s']} s CPU")
        parts.append(f"{row['peak_mib']} MiB")
    return ", ".join(parts)


def table(works, clients, rows):
    print("| | " + " | ".join(clients) + " |")
    print("|---" * (len(clients) + 1) + "|")
    for work in works:
        print(f"| {work} | " + " | ".join(
            cell(rows.get((c, work))) for c in clients) + " |")


class Chart:
    def __init__(self, limit):
        self.limit = limit
        self.parts = []

    def x(self, seconds):
        at = math.log(max(seconds, LEAST) / LEAST) / math.log(
            self.limit / LEAST)
        return LEFT + WIDTH * min(at, 1)

    def text(self, x, y, text, anchor="start", size=12):
        self.parts.append(f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" '
                          f'text-anchor="{anchor}">{escape(text)}</text>')

    def rect(self, x, y, width, height, colour, opacity=1):
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height='
            f'"{height:.1f}" fill="{colour}" fill-opacity="{opacity}"/>')

    def bar(self, y, row, colour):
        seconds = number(row["seconds"])
        if seconds is None:
            if row["seconds"] == "not done":
                self.rect(LEFT, y, WIDTH, BAR, colour, 0.3)
                self.text(LEFT + WIDTH + 4, y + BAR, "not done", size=9)
            else:
                self.text(LEFT + 4, y + BAR, row["seconds"], size=9)
            return
        end = max(self.x(seconds), LEFT + 2)
        self.rect(LEFT, y, end - LEFT, BAR, colour)
        note = speed(row)
        if row["requests"] != "-":
            note += f", {int(row['requests']):,} req"
        self.text(end + 4, y + BAR, note, size=9)

    def draw(self, works, clients, rows):
        count = sum((c, w) in rows for c in clients for w in works)
        bottom = TOP + count * (BAR + 1) + len(works) * GAP
        for k in range(-2, 6):
            if 10 ** k <= self.limit:
                x = self.x(10 ** k)
                self.rect(x, TOP - 4, 0.5, bottom - TOP, "#888")
                self.text(x, TOP - 8, f"{10 ** k:g} s", "middle", 10)
        y = TOP
        for work in works:
            there = [c for c in clients if (c, work) in rows]
            self.text(LEFT - 8, y + len(there) * BAR / 2 + 4, work, "end")
            for c in there:
                self.bar(y, rows[c, work], COLOURS[clients.index(c) % 5])
                y += BAR + 1
            y += GAP
        for k, c in enumerate(clients):
            self.rect(LEFT + 110 * k, 8, 12, 12, COLOURS[k % 5])
            self.text(LEFT + 110 * k + 17, 18, c)
        width = LEFT + WIDTH + 150
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
                f'height="{bottom}" viewBox="0 0 {width} {bottom}" '
                'font-family="sans-serif" fill="#222">\n'
                f'<rect width="{width}" height="{bottom}" fill="#fff"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def main():
    parse = argparse.ArgumentParser()
    parse.add_argument("tsv")
    parse.add_argument("--limit", type=float, default=100)
    parse.add_argument("--svg")
    args = parse.parse_args()
    with open(args.tsv, newline="") as f:
        lines = list(csv.DictReader(f, delimiter="\t"))
    rows = {(line["client"], line["work"]): line for line in lines}
    clients = list(dict.fromkeys(line["client"] for line in lines))
    # a row's works stand together, whichever client has them
    by_row = list(dict.fromkeys(line["row"] for line in lines))
    works = list(dict.fromkeys(line["work"] for row in by_row
                               for line in lines if line["row"] == row))
    table(works, clients, rows)
    if args.svg:
        with open(args.svg, "w") as f:
            f.write(Chart(args.limit).draw(works, clients, rows))


if __name__ == "__main__":
    main()
