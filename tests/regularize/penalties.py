"""The Python side of penalties_parity_test.cpp: the same penalties of the same small network by PyTorch itself.

    python3 penalties.py in.pt out.txt

in.pt is what torch::pickle_save wrote: a list of tensors of doubles, in the order in which it is read here. A line of
out.txt is a penalty: its value, then all entries of its gradient by the network's parameters. Needs PyTorch 1.13 or
later and nothing else. Each formula is written as its source has it, in the simplest way and not the fastest.
"""

import inspect
import sys

import torch
from torch.nn import functional as F

STRENGTH = 0.3


def elastic_net(parameters, l1_share):
    """scikit-learn's ElasticNet: alpha * l1_ratio * |w|_1 + alpha * (1 - l1_ratio) / 2 * |w|_2^2."""
    ones = sum(torch.linalg.vector_norm(w, 1) for w in parameters)
    twos = sum(torch.linalg.vector_norm(w, 2) ** 2 for w in parameters)
    return STRENGTH * l1_share * ones + STRENGTH * (1 - l1_share) / 2 * twos


def l2_sp(parameters, start, elsewhere):
    """Li, Grandvalet and Davoine 2018; the last two parameters are not in the start."""
    near = sum(((w - s) ** 2).sum() for w, s in zip(parameters, start))
    far = sum((w**2).sum() for w in parameters[len(start) :])
    return STRENGTH / 2 * near + elsewhere / 2 * far


def spectral(matrices):
    """Yoshida and Miyato 2017, by singular values."""
    return STRENGTH / 2 * sum(torch.linalg.matrix_norm(w.flatten(1), 2) ** 2 for w in matrices)


def jacobian(output, x, directions):
    """Hoffman, Roberts and Yaida 2019, as in their JacobianReg; directions [N, projections, C], or None for all C."""
    samples, classes = output.shape
    count = classes if directions is None else directions.shape[1]
    total = 0
    for i in range(count):
        if directions is None:
            v = torch.zeros_like(output)
            v[:, i] = 1
        else:
            v = directions[:, i] / torch.linalg.vector_norm(directions[:, i], 2, 1, keepdim=True)
        (slope,) = torch.autograd.grad(output, x, v, create_graph=True)
        total = total + classes * torch.linalg.vector_norm(slope) ** 2 / (count * samples)
    return STRENGTH * total / 2


def confidence(output):
    """Pereyra et al. 2017."""
    return -STRENGTH * torch.distributions.Categorical(logits=output).entropy().mean()


def slacks(taps, axis, balance):
    """Riera et al. 2022, as their code for PyTorch; 0: of units, 1: of points."""
    of_layers = []
    for a in taps:
        rows = (a.transpose(0, 1) if axis == 0 else a).flatten(1)
        most, least = rows.max(1)[0], rows.min(1)[0]
        of_layers.append(balance * F.relu(1 - most) + (1 - balance) * F.relu(1 + least))
    return torch.cat(of_layers)


def jumpstart(taps, axes, aggregate, balance):
    """`aggregate` of all slacks together; of each kind alone, and their sum, for "balanced"."""
    kinds = [slacks(taps, axis, balance) for axis in axes]
    if aggregate == "balanced":
        return STRENGTH * sum(kind.mean() for kind in kinds)
    return STRENGTH * aggregate(torch.cat(kinds))


def potential(x, network, kind):
    """The potentials of ELDER's networks (Zou et al. 2023), a mean over the samples instead of a sum."""
    y = network(x)
    total = {
        "gradient_step": lambda: 0.5 * torch.linalg.vector_norm(x - y) ** 2,
        "red": lambda: 0.5 * (x * (x - y)).sum(),
        "scalar": lambda: y.sum(),
    }[kind]()
    return STRENGTH * total / len(x)


def slope(x, network, kind):
    """The gradients that ELDER's code works out by hand, one vector-Jacobian product each; their mean square."""
    y = network(x)
    at = {"gradient_step": x - y, "red": x, "scalar": torch.ones_like(y)}[kind]
    (product,) = torch.autograd.grad(y, x, at, create_graph=True)
    down = {"gradient_step": x - y - product, "red": x - 0.5 * (y + product), "scalar": product}[kind]
    return (down**2).mean()


def main(source, target):
    torch.set_num_threads(1)
    # LibTorch's pickle is a list that newer versions of torch.load take only if told that it is trusted.
    trusted = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
    tensors = list(torch.load(source, **trusted))

    kernel, kernel_bias, weight, bias = parameters = [tensors.pop(0).requires_grad_() for _ in range(4)]
    start = [tensors.pop(0) for _ in range(2)]
    x, directions, denoiser = (tensors.pop(0) for _ in range(3))
    assert not tensors

    x.requires_grad_()
    first = F.conv2d(x, kernel, kernel_bias)
    output = torch.tanh(first).flatten(1) @ weight.T + bias
    taps = [first, output]

    def network(z):
        return F.elu(z @ denoiser.T)

    penalties = [
        elastic_net(parameters, 1),
        elastic_net(parameters, 0),
        elastic_net(parameters, 0.3),
        l2_sp(parameters, start, 0.2),
        spectral([kernel, weight]),
        jacobian(output, x, None),
        jacobian(output, x, directions),
        confidence(output),
    ]
    for axes in ((0, 1), (0,), (1,)):
        for aggregate in (torch.norm, torch.mean, torch.sum, "balanced"):
            penalties.append(jumpstart(taps, axes, aggregate, 0.4))
    for kind in ("gradient_step", "red", "scalar"):
        penalties += [potential(output, network, kind), slope(output, network, kind)]

    with open(target, "w", encoding="ascii") as lines:
        for penalty in penalties:
            slopes = torch.autograd.grad(penalty, parameters, retain_graph=True, allow_unused=True)
            numbers = [penalty.reshape(1)]
            for parameter, gradient in zip(parameters, slopes):
                numbers.append((torch.zeros_like(parameter) if gradient is None else gradient).reshape(-1))
            lines.write(" ".join(repr(number) for number in torch.cat(numbers).tolist()) + "\n")


main(*sys.argv[1:])
