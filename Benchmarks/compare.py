"""Prints the table of the benchmarks: ours alone, or beside a peer's.

With a peer, both sides measure a row in turn, several times, before the next row begins: a machine whose speed drifts hurts
both alike. Quoted are medians; the ratio is the median over the turns of theirs to ours.
"""

import argparse
import collections
import json
import shlex
import statistics
import subprocess
import sys

PEAK = "peak"


class Side:
    """One side's measurements of one row, by threads; a list of seconds per turn."""

    def __init__(self):
        self.turns = collections.defaultdict(list)
        self.errors, self.flops, self.notes, self.table = {}, {}, {}, None

    def read(self, command, name, repetitions):
        command = command + ["--exact", "--repetitions", str(repetitions), name]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        for row in map(json.loads, output.splitlines()):
            threads = row["threads"]
            if "error" in row:
                self.errors[threads] = row["error"]
                continue
            self.turns[threads].append(row["seconds"])
            self.flops[threads] = row.get("flops")
            self.notes[threads] = row.get("note", "")
            self.table = row.get("table")

    def median(self, threads):
        return statistics.median(sum(self.turns[threads], []))

    def rate(self, threads):
        """GFLOP/s, where operations are counted."""
        return self.flops[threads] / self.median(threads) * 1e-9 if self.flops[threads] else None


def ratio(ours, theirs, threads):
    """Theirs to ours, median over the turns."""
    pairs = zip(ours.turns[threads], theirs.turns[threads])
    return statistics.median(statistics.median(other) / statistics.median(own) for own, other in pairs)


def names(command, parts):
    listed = subprocess.run(command + ["--list"] + parts, check=True, stdout=subprocess.PIPE, text=True)
    return listed.stdout.splitlines()


def text(seconds):
    return f"{seconds * 1e6:.0f} us" if seconds < 1e-2 else f"{seconds:.3f} s"


def print_row(name, ours, theirs, peak):
    for threads in ours.turns:
        rate = ours.rate(threads)
        share = f"{rate / peak / threads:.0%}" if rate else "-"
        row = f"{name:49} {threads:7} {text(ours.median(threads)):>12} {share:>8}"
        if theirs and threads in theirs.turns:
            times = f"{ratio(ours, theirs, threads):.1f}x"
            row += f" {text(theirs.median(threads)):>12} {times:>7}  {theirs.notes[threads]}"
        elif theirs and threads in theirs.errors:
            row += f"  the peer could not run: {theirs.errors[threads]}"
        print(row.rstrip(), flush=True)


def print_table(title, rows, peak):
    """GFLOP/s and shares of the peak, for what stands in a table of its own."""
    columns = list(next(iter(rows.values())))
    print(f"\n{title}, GFLOP/s" + "".join(f" {column:>18}" for column in columns))
    for row, rates in rows.items():
        cells = [f"{rates[column]:.0f} ({rates[column] / peak:.0%})" for column in columns]
        print(f"{row:>{len(title) + 9}}" + "".join(f" {cell:>18}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(description="Table of the benchmarks: ours alone, or beside a peer's.")
    parser.add_argument("--peer", type=shlex.split, help="the peer's command: peers.py, or other benchmarks of ours")
    parser.add_argument("--turns", type=int, default=3, help="of either side at a row, with a peer")
    parser.add_argument("--repetitions", type=int, default=3, help="in each turn")
    parser.add_argument("--comparable", action="store_true", help="only rows that the peer has, too")
    parser.add_argument("binary", help="the built benchmarks")
    parser.add_argument("names", nargs="*", help="parts of names; only rows that contain one are measured")
    options = parser.parse_args()
    known = set(names(options.peer, [])) if options.peer else set()
    wanted = [name for name in names([options.binary], options.names) if name in known or not options.comparable]
    measured = Side()
    measured.read([options.binary], PEAK, 1)
    peak = measured.rate(1)
    print(f"peak of one core: {peak:.0f} GFLOP/s; shares are of it, times the threads\n")
    header = f"{'what':49} {'threads':>7} {'meristem':>12} {'of peak':>8}"
    print(header + (f" {'peer':>12} {'ratio':>7}" if options.peer else ""), flush=True)
    tables = collections.OrderedDict()
    for name in wanted:
        if name == PEAK:
            continue
        ours, theirs = Side(), Side() if name in known else None
        for _ in range(options.turns if theirs else 1):
            ours.read([options.binary], name, options.repetitions)
            if theirs:
                theirs.read(options.peer, name, options.repetitions)
        if ours.table:
            title, row, column = ours.table
            tables.setdefault(title, collections.OrderedDict()).setdefault(row, {})[column] = ours.rate(1)
        else:
            print_row(name, ours, theirs, peak)
    for title, rows in tables.items():
        print_table(title, rows, peak)


if __name__ == "__main__":
    sys.exit(main())
