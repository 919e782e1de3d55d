"""Compares passes that Meristem computed with the same passes of PyTorch, in Float64.

Usage: compare.py FOLDER

FOLDER holds pairs NAME.network.h5 and NAME.pass.h5 (see InteropTests.swift), and whole experiments NAME.dataset.h5,
NAME.network.h5 and NAME.evaluation.h5. One line per comparison; status 1 if any differs by more than 1e-4 of the
largest value of its kind.
"""

import pathlib
import sys

import h5py
import torch
from torch import nn

from torch_network import load, read_split, text

TOLERANCE = 1e-4


def loss_of(outputs, labels, kind):
    """The mean over samples, as in Meristem: squared errors are summed over the outputs."""
    if kind == "cross-entropy":
        return nn.functional.cross_entropy(outputs, labels)
    targets = nn.functional.one_hot(labels, outputs.shape[1]).to(outputs)
    return ((outputs - targets) ** 2).sum(1).mean()


def tensors(group):
    return {f"{node}/{name}": torch.from_numpy(data[:]) for node in group for name, data in group[node].items()}


class Comparison:
    """What was found to differ in one mode of one network."""

    def __init__(self, name):
        self.name = name
        self.worst = (0.0, "nothing")
        self.failures = []

    def check(self, what, ours, theirs, scale=0.0):
        """`scale`: differences count as parts of this, or of the largest of their values."""
        if ours.shape != theirs.shape:
            self.failures.append(f"{what}: shape {tuple(ours.shape)}, PyTorch has {tuple(theirs.shape)}")
        elif theirs.numel() > 0:
            scale = max(scale, theirs.abs().max().item(), 1e-30)
            difference = (ours.double() - theirs).abs().max().item() / scale
            self.worst = max(self.worst, (difference, what))
            if not difference <= TOLERANCE:
                self.failures.append(f"{what}: differs by {difference:.1e}")

    def report(self):
        difference, what = self.worst
        state = "differs" if self.failures else "agrees"
        print(f"{self.name}: {state}; at most {difference:.1e} ({what})")
        for failure in self.failures:
            print(f"  {failure}")
        return not self.failures


def compare(name, network, file, mode):
    model = load(network).double()
    model.train(mode == "training")
    ours = file[mode]
    inputs = torch.from_numpy(file["inputs"][:]).double()
    outputs = model(inputs)
    loss = loss_of(outputs, torch.from_numpy(file["labels"][:]), text(file.attrs["loss"]))
    loss.backward()

    result = Comparison(f"{name}, {mode}")
    result.check("outputs", torch.from_numpy(ours["outputs"][:]), outputs.detach())
    result.check("loss", torch.tensor(float(ours.attrs["loss"])), loss.detach())
    theirs = {
        f"{node}/{parameter}": torch.zeros_like(value) if value.grad is None else value.grad
        for node, module in model.operations.items() for parameter, value in module.named_parameters()}
    found = tensors(ours["gradients"])
    if found.keys() != theirs.keys():
        result.failures.append(f"gradients of {sorted(found.keys() ^ theirs.keys())} are on one side only")
    # A gradient that is zero but for rounding, as that of a bias before a normalisation, has no scale of its own.
    largest = max((value.abs().max().item() for value in theirs.values() if value.numel()), default=0.0)
    for parameter in found.keys() & theirs.keys():
        result.check(f"gradient of {parameter}", found[parameter], theirs[parameter], 1e-2 * largest)
    if mode == "training":
        buffers = {f"{node}/{key}": value for node, module in model.operations.items() for key, value in module.named_buffers()}
        state = tensors(ours["state"]) if "state" in ours else {}
        if state.keys() != buffers.keys():
            result.failures.append(f"the state of {sorted(state.keys() ^ buffers.keys())} is on one side only")
        for key in state.keys() & buffers.keys():
            result.check(f"state {key} after a step", state[key], buffers[key])
    return result.report()


def compare_evaluation(name, folder):
    """What `evaluate` found about a network on its dataset's test split, with the images read by PyTorch."""
    images, labels = read_split(folder / f"{name}.dataset.h5", "test")
    outputs = load(folder / f"{name}.network.h5").double()(images.double()).detach()
    result = Comparison(f"{name}, test split")
    with h5py.File(folder / f"{name}.evaluation.h5") as file:
        result.check("loss", torch.tensor(file["loss"][()]), loss_of(outputs, labels, "cross-entropy"))
        theirs = outputs.argmax(1)
        # Two classes that are as good as equal may come out either way.
        first, second = outputs.topk(2).values.T
        settled = first - second > TOLERANCE
        differing = (torch.from_numpy(file["predictions"][:]) != theirs) & settled
        if differing.any():
            result.failures.append(f"{differing.sum()} of {len(theirs)} predictions differ")
        slack = 1.5 * (~settled).sum().item() / len(theirs)
        if abs(file["accuracy"][()] - (theirs == labels).double().mean().item()) > slack + 1e-9:
            result.failures.append("the accuracy differs")
    return result.report()


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)
    agrees = True
    passes = sorted(folder.glob("*.pass.h5"))
    evaluations = sorted(folder.glob("*.evaluation.h5"))
    assert passes or evaluations, f"{folder}: nothing to compare"
    for path in evaluations:
        agrees = compare_evaluation(path.name.removesuffix(".evaluation.h5"), folder) and agrees
    for path in passes:
        name = path.name.removesuffix(".pass.h5")
        with h5py.File(path) as file:
            for mode in ("evaluation", "training"):
                if mode in file:
                    agrees = compare(name, folder / f"{name}.network.h5", file, mode) and agrees
    sys.exit(0 if agrees else 1)


if __name__ == "__main__":
    main()
