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


def collect(command, into):
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        row = json.loads(line)
        key = (row["name"], row["threads"])
        if "error" in row:
            into[key] = row["error"]
        elif not isinstance(into.get(key), str):
            into.setdefault(key, []).extend(row["seconds"])


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
    peer, repetitions = options.peer, str(options.repetitions)
    ours, theirs = collections.OrderedDict(), {}
    for _ in range(options.rounds if peer else 1):
        collect([options.binary, "--repetitions", repetitions], ours)
        if peer:
            script = pathlib.Path(__file__).with_name("peers.py")
            collect([peer, str(script), "--repetitions", repetitions], theirs)
    header = f"{'what':49} {'threads':>7} {'meristem':>12}"
    print(header + (f" {'peer':>12} {'ratio':>7}" if peer else ""))
    for key, seconds in ours.items():
        row = f"{key[0]:49} {key[1]:7} {text(seconds):>12}"
        if peer:
            other = theirs.get(key)
            ratio = "-"
            if isinstance(other, list):
                ratio = f"{statistics.median(other) / statistics.median(seconds):.1f}x"
            row += f" {text(other):>12} {ratio:>7}"
        print(row)
    for key, error in theirs.items():
        if isinstance(error, str):
            print(f"peer could not run {key[0]}, {key[1]} threads: {error}")


if __name__ == "__main__":
    main()
