"""The Hessian's largest eigenvalue and its trace by PyHessian (Yao et al. 2020), for the pooled ResNet.

    python3 curvature.py --weights in.pt --method eigenvalue --images-a-batch 200 --threads 2

in.pt is what torch::pickle_save wrote: a list of the network's parameters, its buffers, the images [N, 1, 28, 28] as
floats, and the labels. `go` is one call with PyHessian's defaults, on all images: in batches by a DataLoader, or, with
--images-a-batch 0, in a single batch, for which PyHessian keeps the gradient's graph. Behind the seconds stand

    eigenvalue     the eigenvalue, its residual ||H v - value v|| / |value| (not timed), peak memory in MB
    trace          the mean of the draws, how many there were, the draws' standard deviation, peak memory in MB

Peak memory is what the process held at most during the call beyond what it held before, by Linux's own count.
"""

import argparse
import warnings

import torch
from pyhessian import hessian

import networks
from serve import serve

warnings.filterwarnings("ignore", "Using backward")  # PyHessian's cycle between weights and gradients


def memory(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(field))


def with_peak(work):
    """What work() returns, and the memory in MB that it held at most beyond what was held before."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = memory("VmRSS")
    return work(), memory("VmHWM") - before


def read(path):
    *tensors, images, labels = torch.load(path, weights_only=False)
    net = networks.make("pooled", images.shape[1])
    own = [p.data for p in net.parameters()] + [b for b in net.buffers()]
    assert [t.shape for t in own] == [t.shape for t in tensors]
    for mine, given in zip(own, tensors):
        mine.copy_(given)
    return net.eval(), images, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--method", default="eigenvalue", choices=["eigenvalue", "trace"])
    parser.add_argument("--images-a-batch", type=int, default=200)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    net, images, labels = read(arguments.weights)
    batches = list(zip(images.split(arguments.images_a_batch or len(images)),
                       labels.split(arguments.images_a_batch or len(images))))

    def operator():
        data = {"dataloader": batches} if arguments.images_a_batch else {"data": batches[0]}
        return hessian(net, torch.nn.CrossEntropyLoss(), cuda=False, **data)

    def eigenvalue():
        (values, vectors), peak = with_peak(lambda: operator().eigenvalues())
        return values[0], vectors[0], peak

    def residual(value, vector):
        slopes = [torch.zeros_like(p) for p in net.parameters()]
        for x, y in batches:
            loss = torch.nn.functional.cross_entropy(net(x), y)
            first = torch.autograd.grad(loss, list(net.parameters()), create_graph=True)
            second = torch.autograd.grad(first, list(net.parameters()), vector)
            slopes = [s + h * len(x) / len(images) for s, h in zip(slopes, second)]
        away = sum(((s - value * v) ** 2).sum() for s, v in zip(slopes, vector))
        return away.sqrt().item() / abs(value)

    def trace():
        draws, peak = with_peak(lambda: operator().trace())
        spread = torch.tensor(draws)
        return spread.mean().item(), len(draws), spread.std().item(), peak

    if arguments.method == "trace":
        serve(trace)
        return

    def from_one_start():
        torch.manual_seed(2)
        return eigenvalue()

    serve(from_one_start, afterwards=lambda value, vector, peak: (value, residual(value, vector), peak))


if __name__ == "__main__":
    main()
