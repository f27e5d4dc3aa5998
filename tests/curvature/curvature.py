"""The Python side of curvature_parity_test.cpp: dense curvature matrices of a small network, by PyTorch's own autograd.

    python3 curvature.py in.pt out.txt

in.pt is what torch::pickle_save wrote, a list of tensors of doubles: the parameters of `network` in their order, the
running mean and variance, the images, the labels as doubles, and a vector. Each line of out.txt begins with a name. The
lines of PyHessian and curvlinops are there where these are installed. Needs PyTorch 1.13 or later.
"""

import inspect
import sys
import warnings

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def network(parameters, statistics, x):
    kernel, gain, shift, weight, bias = parameters
    x = F.batch_norm(F.conv2d(x, kernel), *statistics, gain, shift)
    return F.linear(torch.tanh(x).flatten(1), weight, bias)


class Network(torch.nn.Module):
    """The same for peers that take a module."""

    def __init__(self, parameters, statistics):
        super().__init__()
        self.kernel, self.gain, self.shift, self.weight, self.bias = map(torch.nn.Parameter, parameters)
        self.statistics = statistics

    def forward(self, x):
        return network((self.kernel, self.gain, self.shift, self.weight, self.bias), self.statistics, x)


def jacobian_of(function, at):
    return torch.autograd.functional.jacobian(function, at)


def main(source, target):
    torch.set_num_threads(1)
    # LibTorch's pickle is a list that newer versions of torch.load take only if told that it is trusted.
    trusted = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
    *tensors, mean, variance, images, labels, vector = torch.load(source, **trusted)
    labels = labels.long()
    statistics = (mean, variance)
    shapes = [t.shape for t in tensors]
    flat = torch.cat([t.flatten() for t in tensors])

    def unflat(w):
        parts = w.split([shape.numel() for shape in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes)]

    def logits(w):
        return network(unflat(w), statistics, images)

    hessian = torch.autograd.functional.hessian(lambda w: F.cross_entropy(logits(w), labels), flat)
    jacobian = jacobian_of(logits, flat)  # [N, C, P]
    gradients = jacobian_of(lambda w: F.cross_entropy(logits(w), labels, reduction="none"), flat)
    p = logits(flat).softmax(1)
    bend = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    ggn = torch.einsum("ncp,ncd,ndq->pq", jacobian, bend, jacobian) / len(images)
    rows = jacobian.flatten(0, 1)

    lines = {}
    for name, matrix in (("hessian", hessian), ("ggn", ggn), ("empirical", gradients.T @ gradients / len(images)),
                         ("kernel", rows @ rows.T)):
        lines[name] = torch.linalg.eigvalsh(matrix)
        lines[name + "_moments"] = torch.stack([lines[name].pow(k).mean() for k in (1, 2, 3, 4)])

    try:
        from pyhessian import hessian as pyhessian
        warnings.filterwarnings("ignore", "Using backward")  # PyHessian's cycle between weights and gradients
        net = Network(tensors, statistics)
        theirs = pyhessian(net, torch.nn.CrossEntropyLoss(), data=(images, labels), cuda=False)
        torch.manual_seed(0)
        lines["pyhessian"] = torch.tensor(theirs.eigenvalues(maxIter=5000, tol=1e-12, top_n=2)[0])
    except ImportError:
        print("no PyHessian here", file=sys.stderr)
    try:
        import curvlinops
        net = Network(tensors, statistics)
        data = [(images, labels)]
        for name, kind in (("hessian", "HessianLinearOperator"), ("ggn", "GGNLinearOperator"),
                           ("empirical", "EFLinearOperator")):
            theirs = getattr(curvlinops, kind)(net, torch.nn.CrossEntropyLoss(), list(net.parameters()), data)
            lines["curvlinops_" + name] = theirs @ vector
    except ImportError:
        print("no curvlinops here", file=sys.stderr)

    with open(target, "w") as file:
        for name, values in lines.items():
            print(name, *(repr(value) for value in values.tolist()), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
