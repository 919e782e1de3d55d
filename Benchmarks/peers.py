"""The same work in PyTorch and gromo, for compare.py: one JSON object per measurement.

Usage: peers.py [--list] [--exact] [--repetitions N] [NAME-PART ...]
"""

import argparse
import json
import time

import torch
from torch import nn


clock = time.perf_counter


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
    begin = clock()
    for _ in range(steps):
        step()
    return (clock() - begin) / steps


class Block(nn.Module):
    """The basic residual block of torchvision, in place."""

    def __init__(self, inputs, width, stride, inner):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inner, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential()
        if stride > 1 or inputs != width:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = nn.functional.relu(self.norm1(self.conv1(x)), inplace=True)
        return nn.functional.relu(self.norm2(self.conv2(y)) + self.shortcut(x), inplace=True)


def resnet18(width, inner=1):
    """ResNet-18 for images of 32 x 32: a 3 x 3 stem, four stages of two blocks, `inner` of whose width is within."""
    layers = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    inputs = width
    for stage in range(4):
        for block in range(2):
            stride = 2 if stage > 0 and block == 0 else 1
            layers.append(Block(inputs, width << stage, stride, int(inner * (width << stage))))
            inputs = width << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def vgg(first, second):
    """Two stages of two 3 x 3 convolutions each for images of 28 x 28."""
    layers, inputs = [], 1
    for width in [first, second]:
        for _ in range(2):
            layers += [nn.Conv2d(inputs, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


MEMORY_FORMATS = {"channels last": torch.channels_last, "planes": torch.contiguous_format}


def seconds_per_image_step(make, shape, threads, steps):
    """The same for a network of images, in the faster of PyTorch's two memory formats; with the format's name."""
    torch.set_num_threads(threads)

    def seconds(memory_format):
        torch.manual_seed(0)
        model = make().to(memory_format=memory_format)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        images = torch.randn(128, *shape).to(memory_format=memory_format)
        labels = torch.randint(0, 10, (128,))

        def step():
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()

        step()
        begin = clock()
        for _ in range(steps):
            step()
        return (clock() - begin) / steps

    return min((seconds(memory_format), name) for name, memory_format in MEMORY_FORMATS.items())


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
    begin = clock()
    model.init_computation()
    for first in range(0, 60_000, 10_000):
        model.zero_grad()
        loss(model(images[first : first + 10_000]), labels[first : first + 10_000]).backward()
        model.update_computation()
    model.compute_optimal_updates()
    model.reset_computation()
    return clock() - begin


def gromo_convolution_statistics(kind, threads, images=40):
    """Statistics and solve of the width between two 3 x 3 convolutions of 64 channels over images of 32 x 32."""
    from gromo.modules import conv2d_growing_module

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    module = getattr(conv2d_growing_module, f"{kind}Conv2dGrowingModule")
    shape = dict(in_channels=64, out_channels=64, kernel_size=3, padding=1, use_bias=False, input_size=(32, 32))
    first = module(post_layer_function=nn.ReLU(), device=torch.device("cpu"), **shape)
    second = module(previous_module=first, device=torch.device("cpu"), **shape)
    batch, gradient = torch.randn(images, 64, 32, 32), torch.randn(images, 64, 32, 32)
    begin = clock()
    second.init_computation()
    (second(first(batch)) * gradient).sum().backward()
    second.update_computation()
    second.compute_optimal_updates()
    return clock() - begin


def gromo_solve(threads, size=4608):
    """New neurons from S and N of 512 channels and 3 x 3 taps: as gromo finds them, by eigenvectors of S and an SVD."""
    from gromo.utils.tools import compute_optimal_added_parameters

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    left = torch.randn(size, 256)
    cross = left / (1 + torch.arange(256)) @ torch.randn(256, size)
    covariance = left @ left.T + 50 * torch.eye(size)
    begin = clock()
    compute_optimal_added_parameters(covariance, cross, maximum_added_neurons=32)
    return clock() - begin


# Beyond so many seconds, a measurement is not repeated.
MOST_SECONDS = 5

MEASUREMENTS = {
    "step 784-128-10": lambda threads: seconds_per_step([128], threads),
    "step 784-512-512-10": lambda threads: seconds_per_step([512, 512], threads),
    "step 784-8-8-10": lambda threads: seconds_per_step([8, 8], threads),
    **{
        f"step VGG ({first},{second})": lambda threads, widths=(first, second): seconds_per_image_step(
            lambda: vgg(*widths), (1, 28, 28), threads, steps=20
        )
        for first, second in [(4, 8), (8, 16), (16, 32), (32, 64)]
    },
    "step ResNet-18 (64)": lambda threads: seconds_per_image_step(lambda: resnet18(64), (3, 32, 32), threads, steps=4),
    "step ResNet-18 (16)": lambda threads: seconds_per_image_step(lambda: resnet18(16), (3, 32, 32), threads, steps=20),
    "step ResNet-18 (16) inner 1/4": lambda threads: seconds_per_image_step(
        lambda: resnet18(16, 1 / 4), (3, 32, 32), threads, steps=20
    ),
    "statistics 784-32-32-10": gromo_statistics,
    "statistics 64-64-64 3x3 40 images full": lambda threads: gromo_convolution_statistics("Full", threads),
    "statistics 64-64-64 3x3 40 images restricted": lambda threads: gromo_convolution_statistics("Restricted", threads),
    "solve 512-512-512 3x3": gromo_solve,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--threads", type=int, action="append", help="may be given more than once; 1 and 2 without")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--exact", action="store_true", help="names are whole names")
    parser.add_argument("--cpu", action="store_true", help="count the processor's seconds, not the clock's")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.cpu:
        global clock
        clock = time.process_time
    for name, body in MEASUREMENTS.items():
        wanted = name in options.names if options.exact else any(part in name for part in options.names)
        if options.names and not wanted:
            continue
        if options.list:
            print(name)
            continue
        for threads in options.threads or [1, 2]:
            try:
                notes = set()

                def measured():
                    found = body(threads)
                    if isinstance(found, float):
                        return found
                    notes.add(found[1])
                    return found[0]

                seconds = [measured()]
                while len(seconds) <= options.repetitions and sum(seconds) < MOST_SECONDS:
                    seconds.append(measured())
                # The first is a warm-up, unless it is all that there is time for.
                seconds = seconds[1:] or seconds
            except Exception as error:  # a peer that cannot be installed or has changed is named, not guessed
                print(json.dumps({"name": name, "threads": threads, "error": f"{type(error).__name__}: {error}"}))
                continue
            row = {"name": name, "threads": threads, "seconds": seconds}
            print(json.dumps(row | ({"note": " or ".join(sorted(notes))} if notes else {})), flush=True)


if __name__ == "__main__":
    main()
