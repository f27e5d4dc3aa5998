"""The paper's toy: pre-training on random labels, one SGD step after another (Liu et al. 2020).

    python3 toy.py --variant authors --steps 1000

100 points in the plane in two clusters, labels drawn by a coin, 2-100-100-1 ReLU MLP, binary cross entropy summed over
a batch of 10, SGD with rate 0.003, one thread. `go` is --steps steps; an epoch is ten. What a variant stands for:

    authors             the authors' script without its evaluation: TensorDataset, DataLoader(shuffle=True), sigmoid
                        and BCELoss
    authors-evaluating  that script as it is: after every epoch the whole set's loss, accuracy and AUC (scikit-learn's)
                        in eval mode, with gradients on, printed. Its plots, before the first and after the last epoch,
                        are left out, and so is the decay of its rate, which costs nothing
    idiomatic           what the tutorials teach: rows of a randperm, a module, BCEWithLogitsLoss, torch.optim.SGD as it
                        comes
    fastest-eager       what an expert does without compile and graphs: one gather an epoch, functions instead of
                        modules, gradients dropped instead of zeroed, a foreach or fused step (--step)
    bare-eager          the floor of autograd from Python: no torch.optim either, autograd.grad and one foreach addition

Needs PyTorch; authors-evaluating needs scikit-learn too.
"""

import argparse
import itertools
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from serve import serve

BATCH = 10
RATE = 0.003


def two_clusters(random):
    """The points, 50 to a cluster [100, 2], and labels that know nothing of them [100, 1]; arrays, as from a file."""
    points = 0.1 * random.normal(2.0, 1.5, size=(100, 2))
    points[:, 0] += np.repeat([0.65, -0.65], 50)
    return points, random.integers(2, size=(100, 1)).astype(np.float64)


def network(*last):
    return nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 1), *last)


# Each variant is a generator without end: it yields after every step, so that a chunk may end within an epoch.
# None yields inside `torch.no_grad()`, which would then hold for its caller as well.


def authors(points, labels, evaluate=lambda *_: None):
    model = network(nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0, weight_decay=0)
    criterion = nn.BCELoss(reduction="none")
    dataset = torch.utils.data.TensorDataset(torch.FloatTensor(points), torch.FloatTensor(labels))
    loader = torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=0)
    for epoch in itertools.count(1):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y).sum()
            loss.backward()
            optimizer.step()
            yield
        evaluate(epoch, model, points, labels, criterion)


def authors_evaluating(points, labels):
    from sklearn.metrics import accuracy_score, roc_auc_score

    log = open(os.devnull, "w")  # theirs is a file; a generator without end has no place to close it

    def evaluate(epoch, model, points, labels, criterion):
        model.eval()
        x, y = torch.FloatTensor(points), torch.FloatTensor(labels)
        output = model(x)  # with gradients on, as theirs
        loss = criterion(output, y).sum()
        truth, guess = y.numpy(), output.detach().numpy()
        accuracy = accuracy_score(truth, guess > 0.5)
        auc = roc_auc_score(truth, guess)
        print(f"epoch: {epoch}\nloss: {loss.detach()}\tacc: {accuracy}\tAUC: {auc}\n", file=log)

    return authors(points, labels, evaluate)


def idiomatic(points, labels):
    x, y = torch.FloatTensor(points), torch.FloatTensor(labels)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    criterion = nn.BCEWithLogitsLoss(reduction="sum")
    while True:
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss = criterion(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            yield


def shuffled_batches(points, labels):
    x, y = torch.FloatTensor(points), torch.FloatTensor(labels)
    while True:
        order = torch.randperm(len(x))
        yield from zip(x[order].split(BATCH), y[order].split(BATCH))


def summed_loss(x, y, w1, b1, w2, b2, w3, b3):
    hidden = torch.relu_(F.linear(x, w1, b1))
    hidden = torch.relu_(F.linear(hidden, w2, b2))
    return F.binary_cross_entropy_with_logits(F.linear(hidden, w3, b3), y, reduction="sum")


def fastest_eager(points, labels, step):
    parameters = list(network().parameters())
    optimizer = torch.optim.SGD(parameters, lr=RATE, foreach=step == "foreach", fused=step == "fused")
    for x, y in shuffled_batches(points, labels):
        summed_loss(x, y, *parameters).backward()
        optimizer.step()
        for parameter in parameters:
            parameter.grad = None
        yield


def bare_eager(points, labels):
    parameters = list(network().parameters())
    storage = [parameter.detach() for parameter in parameters]  # the same memory, which autograd does not watch
    for x, y in shuffled_batches(points, labels):
        gradients = torch.autograd.grad(summed_loss(x, y, *parameters), parameters)
        torch._foreach_add_(storage, gradients, alpha=-RATE)
        yield


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="authors",
                        choices=["authors", "authors-evaluating", "idiomatic", "fastest-eager", "bare-eager"])
    parser.add_argument("--steps", type=int, default=1000, help="of the optimizer, in one measured chunk")
    parser.add_argument("--warm-up", type=int, default=200, help="steps before `ready`")
    parser.add_argument("--step", default="fused", choices=["foreach", "fused"], help="of fastest-eager")
    parser.add_argument("--seed", type=int, default=137)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    data = two_clusters(np.random.default_rng(arguments.seed))
    training = {
        "authors": lambda: authors(*data),
        "authors-evaluating": lambda: authors_evaluating(*data),
        "idiomatic": lambda: idiomatic(*data),
        "fastest-eager": lambda: fastest_eager(*data, arguments.step),
        "bare-eager": lambda: bare_eager(*data),
    }[arguments.variant]()

    def train(steps):
        for _ in range(steps):
            next(training)

    train(arguments.warm_up)
    serve(lambda: train(arguments.steps))


if __name__ == "__main__":
    main()
