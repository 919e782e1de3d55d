"""A network artifact as a PyTorch module, and a split of a dataset artifact as tensors.

    from torch_network import load, read_split
    model = load("artifacts/digits/tiny-joint-0/tune-2.h5")   # a torch.nn.Module in evaluation mode
    images, labels = read_split("artifacts/digits/tiny-joint-0/dataset.h5", "test")
    accuracy = (model(images).argmax(1) == labels).float().mean()

Images are [n, channels, height, width]; a fully connected network also takes the rows [n, height * width * channels]
that it makes of them. Parameters and running averages have the file's names below `operations`.
"""

import json

import h5py
import torch
from torch import nn


class Network(nn.Module):
    """The graph of a file's /architecture: each node reads earlier nodes, the last one is the output."""

    def __init__(self, graph, tensors):
        super().__init__()
        self.graph = graph
        self.operations = nn.ModuleDict(
            {node["name"]: operation(node, tensors.get(node["name"], {})) for node in graph["nodes"]})

    def forward(self, x):
        if x.dim() == 4 and len(self.graph["input"]) == 1:
            x = x.permute(0, 2, 3, 1).flatten(1)
        values = {"input": x}
        for node in self.graph["nodes"]:
            values[node["name"]] = self.operations[node["name"]](*(values[name] for name in node["inputs"]))
        return values[self.graph["nodes"][-1]["name"]]


def load(path):
    """The network of an artifact, in evaluation mode."""
    with h5py.File(path) as file:
        graph = json.loads(text(file["architecture"].attrs["graph"]))
        tensors = {}
        for group in ("parameters", "state"):
            for node, values in file.get(group, {}).items():
                tensors.setdefault(node, {}).update(
                    {name: torch.from_numpy(data[:]) for name, data in values.items()})
    network = Network(graph, tensors)
    for node, values in tensors.items():
        own = dict(network.operations[node].named_parameters()) | dict(network.operations[node].named_buffers())
        for name, value in values.items():
            assert own[name].shape == value.shape, f"{node}/{name}: {tuple(own[name].shape)}, {tuple(value.shape)}"
            own[name].data.copy_(value)
    return network.eval()


def read_split(path, split):
    """Normalised images [n, channels, height, width] and their labels [n] from a dataset artifact."""
    with h5py.File(path) as file:
        mean, deviation = (torch.from_numpy(file[f"normalization/{name}"][:]) for name in ("mean", "std"))
        images = torch.from_numpy(file[f"{split}/images"][:]).float() / 255
        labels = torch.from_numpy(file[f"{split}/labels"][:])
    # A channel that never changes is left where it is.
    scale = torch.where(deviation > 0, deviation, torch.ones_like(deviation))
    return ((images - mean) / scale).permute(0, 3, 1, 2), labels


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class Function(nn.Module):
    """A node without parameters."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


class EmptyConvolution(nn.Module):
    """A convolution from or to no channels, which PyTorch has not: what it gives is its bias."""

    def __init__(self, weight, bias, kernel, stride, padding, dilation):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros_like(weight))
        self.bias = None if bias is None else nn.Parameter(torch.zeros_like(bias))
        self.window = list(zip(kernel, stride, padding, dilation))

    def forward(self, x):
        extents = [
            (extent + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            for extent, (kernel, stride, padding, dilation) in zip(x.shape[2:], self.window)]
        y = x.new_zeros(len(x), len(self.weight), *extents)
        return y if self.bias is None else y + self.bias[:, None, None]


class EmptyNormalization(nn.Module):
    """A normalisation of no channels, with parameters and running averages of no elements."""

    def __init__(self, hasState):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(0))
        self.bias = nn.Parameter(torch.zeros(0))
        if hasState:
            self.register_buffer("running_mean", torch.zeros(0))
            self.register_buffer("running_var", torch.zeros(0))

    def forward(self, x):
        return x


class BatchNormalization(nn.Module):
    """PyTorch's batch normalisation, of rows of features and of images."""

    def __init__(self, channels, epsilon, momentum):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.epsilon, self.momentum = epsilon, momentum

    def forward(self, x):
        return nn.functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum,
            self.epsilon)


ACTIVATIONS = {"relu": nn.ReLU, "selu": nn.SELU, "gelu": nn.GELU, "tanh": nn.Tanh, "identity": nn.Identity}


def operation(node, tensors):
    """The module of one node; `tensors` are its parameters, for their shapes."""
    weight, bias = tensors.get("weight"), tensors.get("bias")
    match node["operation"]:
        case "linear":
            return nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
        case "convolution" | "depthwise-convolution" as kind:
            window = {key: tuple(node[key]) for key in ("stride", "padding", "dilation")}
            if weight.numel() == 0:
                return EmptyConvolution(weight, bias, node["kernel"], **window)
            groups = len(weight) if kind == "depthwise-convolution" else 1
            return nn.Conv2d(
                weight.shape[1] * groups, len(weight), tuple(node["kernel"]), groups=groups,
                bias=bias is not None, **window)
        case "batch-normalization" | "group-normalization" | "layer-normalization" as kind if weight.numel() == 0:
            return EmptyNormalization(kind == "batch-normalization")
        case "batch-normalization":
            return BatchNormalization(len(weight), node["epsilon"], node["momentum"])
        case "group-normalization":
            return nn.GroupNorm(node["groups"], len(weight), node["epsilon"])
        case "layer-normalization":
            return nn.GroupNorm(1, len(weight), node["epsilon"])
        case "activation":
            return ACTIVATIONS[node["function"]]()
        case "dropout":
            return nn.Dropout(node["rate"])
        case "pooling":
            pooling = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}[node["function"]]
            return pooling(tuple(node["kernel"]), tuple(node["stride"]), tuple(node["padding"]))
        case "global-average-pooling":
            return Function(lambda x: x.mean((2, 3)))
        case "flatten":
            return nn.Flatten()
        case "add":
            return Function(lambda *inputs: sum(inputs[1:], inputs[0]))
        case "concatenation":
            return Function(lambda *inputs: torch.cat(inputs, 1))
        case other:
            raise ValueError(f"node {node['name']}: operation '{other}' is not known here")
