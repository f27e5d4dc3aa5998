"""The Python side of torchscript_test.cpp.

    python3 script.py export net.pt                      a network with BatchNorm, scripted
    python3 script.py train net.pt in.pt losses.txt      the same one trained by PyTorch, on the batches of in.pt
    python3 script.py tell trained.pt in.pt out.txt      what a network that was trained in C++ says here, in eval mode

in.pt is what torch::pickle_save wrote: a list of tensors.
"""

import inspect
import sys

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


def load_tensors(path):
    trusted = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
    return list(torch.load(path, **trusted))


def export(path):
    torch.manual_seed(3)
    torch.jit.script(Net()).save(path)


def train(path, batches, losses_path):
    net = Net()
    net.load_state_dict(torch.jit.load(path).state_dict())
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    tensors = load_tensors(batches)
    with open(losses_path, "w", encoding="ascii") as losses:
        for data, target in zip(tensors[0::2], tensors[1::2]):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(data), target)
            loss.backward()
            optimizer.step()
            losses.write(repr(loss.item()) + "\n")


def tell(path, inputs, out):
    net = torch.jit.load(path)
    net.eval()
    with torch.no_grad(), open(out, "w", encoding="ascii") as numbers:
        for number in net(load_tensors(inputs)[0]).flatten().tolist():
            numbers.write(repr(number) + "\n")


torch.set_num_threads(1)
{"export": export, "train": train, "tell": tell}[sys.argv[1]](*sys.argv[2:])
