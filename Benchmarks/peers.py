"""The same work in PyTorch and gromo, for compare.py: one JSON object per measurement.

Usage: peers.py [--repetitions N] [NAME-PART ...]
"""

import argparse
import json
import time

import torch
from torch import nn


def network(*widths):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def seconds_per_step(widths, threads, steps=100):
    """One eager training step on a batch of 128 that is in memory already: SGD with momentum."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = network(784, *widths, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    images = torch.randn(128, 784)
    labels = torch.randint(0, 10, (128,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    for _ in range(20):
        step()
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - begin) / steps


def gromo_statistics(threads):
    """Statistics and solve of both growable layers of 784-32-32-10 over 60,000 images, in batches of 10,000."""
    from gromo.containers.growing_mlp import GrowingMLP
    from gromo.utils.training_utils import compute_statistics  # noqa: F401  (its absence means another API)

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    images = torch.randn(60_000, 784)
    labels = torch.randint(0, 10, (60_000,))
    model = GrowingMLP(
        in_features=784, out_features=10, hidden_size=32, number_hidden_layers=2,
        activation=nn.ReLU(), device=torch.device("cpu"),
    )
    loss = nn.CrossEntropyLoss(reduction="sum")
    begin = time.perf_counter()
    model.init_computation()
    for first in range(0, 60_000, 10_000):
        model.zero_grad()
        loss(model(images[first : first + 10_000]), labels[first : first + 10_000]).backward()
        model.update_computation()
    model.compute_optimal_updates()
    model.reset_computation()
    return time.perf_counter() - begin


MEASUREMENTS = {
    "step 784-128-10": lambda threads: seconds_per_step([128], threads),
    "step 784-512-512-10": lambda threads: seconds_per_step([512, 512], threads),
    "step 784-8-8-10": lambda threads: seconds_per_step([8, 8], threads),
    "statistics 784-32-32-10": gromo_statistics,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for name, body in MEASUREMENTS.items():
        if options.names and not any(part in name for part in options.names):
            continue
        for threads in (1, 2):
            try:
                body(threads)
                seconds = [body(threads) for _ in range(options.repetitions)]
            except Exception as error:  # a peer that cannot be installed or has changed is named, not guessed
                print(json.dumps({"name": name, "threads": threads, "error": f"{type(error).__name__}: {error}"}))
                continue
            print(json.dumps({"name": name, "threads": threads, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
