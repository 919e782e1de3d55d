"""Prints the table of the benchmarks: ours alone, or beside the peers' in one run.

With a peer, both sides run in turn, so that a machine whose speed drifts hurts both alike. Quoted are medians, and the
ratio of the medians.
"""

import argparse
import collections
import json
import pathlib
import statistics
import subprocess


class Side:
    """What one side measured, by name and threads."""

    def __init__(self, command):
        self.command = command
        # Lists of seconds, or what went wrong.
        self.seconds = collections.OrderedDict()
        # Floating-point operations, the place in a table of its own, and what a peer has to say.
        self.flops, self.tables, self.notes = {}, {}, {}

    def run(self):
        output = subprocess.run(self.command, check=True, stdout=subprocess.PIPE, text=True).stdout
        for line in output.splitlines():
            row = json.loads(line)
            key = (row["name"], row["threads"])
            if "error" in row:
                self.seconds[key] = row["error"]
            elif not isinstance(self.seconds.get(key), str):
                self.seconds.setdefault(key, []).extend(row["seconds"])
            for values, field in [(self.flops, "flops"), (self.tables, "table"), (self.notes, "note")]:
                if row.get(field) is not None:
                    values[key] = row[field]

    def rate(self, key):
        """GFLOP/s, where operations are counted."""
        if key not in self.flops or not isinstance(self.seconds.get(key), list):
            return None
        return self.flops[key] / statistics.median(self.seconds[key]) * 1e-9


def text(seconds):
    if seconds is None:
        return "-"
    if isinstance(seconds, str):
        return "not run"
    median = statistics.median(seconds)
    return f"{median * 1e6:.0f} us" if median < 1e-2 else f"{median:.3f} s"


def main():
    parser = argparse.ArgumentParser(description="Table of the benchmarks: ours alone, or beside the peers'.")
    parser.add_argument("binary", help="the built benchmarks")
    parser.add_argument("peer", nargs="?", help="a Python with PyTorch and gromo")
    parser.add_argument("--rounds", type=int, default=3, help="turns of either side, with a peer")
    parser.add_argument("--repetitions", type=int, default=5, help="in each turn")
    options = parser.parse_args()
    repetitions = ["--repetitions", str(options.repetitions)]
    ours, theirs = Side([options.binary] + repetitions), None
    if options.peer:
        script = pathlib.Path(__file__).with_name("peers.py")
        theirs = Side([options.peer, str(script)] + repetitions)
    for _ in range(options.rounds if theirs else 1):
        ours.run()
        if theirs:
            theirs.run()
    peak = ours.rate(PEAK)
    if peak:
        print(f"peak of one core: {peak:.0f} GFLOP/s; shares are of it, times the threads\n")
    print_rows(ours, theirs, peak)
    print_tables(ours, peak)


PEAK = ("peak", 1)


def print_rows(ours, theirs, peak):
    header = f"{'what':49} {'threads':>7} {'meristem':>12} {'of peak':>8}"
    print(header + (f" {'peer':>12} {'ratio':>7}" if theirs else ""))
    for key, seconds in ours.seconds.items():
        if key in ours.tables or key == PEAK:
            continue
        rate = ours.rate(key)
        share = f"{rate / peak / key[1]:.0%}" if rate and peak else "-"
        row = f"{key[0]:49} {key[1]:7} {text(seconds):>12} {share:>8}"
        if theirs:
            other = theirs.seconds.get(key)
            ratio = "-"
            if isinstance(other, list):
                ratio = f"{statistics.median(other) / statistics.median(seconds):.1f}x"
            row += f" {text(other):>12} {ratio:>7}  {theirs.notes.get(key, '')}"
        print(row.rstrip())
    for key, error in theirs.seconds.items() if theirs else []:
        if isinstance(error, str):
            print(f"peer could not run {key[0]}, {key[1]} threads: {error}")


def print_tables(ours, peak):
    """GFLOP/s and shares of the peak, for what stands in tables of its own."""
    tables = collections.OrderedDict()
    for key, (title, row, column) in ours.tables.items():
        tables.setdefault(title, collections.OrderedDict()).setdefault(row, {})[column] = ours.rate(key)
    for title, rows in tables.items():
        columns = list(next(iter(rows.values())))
        print(f"\n{title}, GFLOP/s" + "".join(f" {column:>18}" for column in columns))
        for row, rates in rows.items():
            cells = []
            for column in columns:
                share = f" ({rates[column] / peak:.0%})" if peak else ""
                cells.append(f"{rates[column]:.0f}{share}")
            print(f"{row:>{len(title) + 9}}" + "".join(f" {cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
