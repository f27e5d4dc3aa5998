"""The Python side of parity_test.cpp: the same network, weights and batches, trained by PyTorch itself.

    python3 parity.py in.pt losses.txt norms.txt

in.pt is what torch::pickle_save wrote: a list of tensors, in the order in which it is read here. Needs PyTorch 1.13 or
later and nothing else.
"""

import inspect
import sys

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride=stride, bias=False)

    def forward(self, x):
        out = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.block1 = Block(8, 8, 1)
        self.block2 = Block(8, 16, 2)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        out = torch.relu(self.norm(self.stem(x)))
        out = self.block2(self.block1(out))
        return self.head(out.mean((2, 3)))


def main(source, losses_path, norms_path):
    torch.set_num_threads(1)
    # LibTorch's pickle is a list that newer versions of torch.load take only if told that it is trusted.
    trusted = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
    tensors = list(torch.load(source, **trusted))

    # rate, momentum, weight decay, 1 for cosine and 0 for steps, steps in all, steps an epoch, batches
    rate, momentum, decay, cosine, steps, steps_an_epoch = tensors.pop(0).tolist()
    net = ResNet()
    state = net.state_dict()
    order = [name for name, _ in net.named_parameters()] + [name for name, _ in net.named_buffers()]
    for name in order:
        tensor = tensors.pop(0)
        assert tensor.shape == state[name].shape, name
        state[name] = tensor
    net.load_state_dict(state)
    assert len(tensors) == 2 * steps, (len(tensors), steps)

    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum, weight_decay=decay)
    if cosine:
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=int(steps))
    else:
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [int(2 * steps_an_epoch), int(3 * steps_an_epoch)], 0.1)
    net.train()
    with open(losses_path, "w", encoding="ascii") as losses:
        for data, target in zip(tensors[0::2], tensors[1::2]):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(data), target)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.write(repr(loss.item()) + "\n")
    net.eval()
    with open(norms_path, "w", encoding="ascii") as sums:
        state = net.state_dict()
        for name in order:
            sums.write(repr(state[name].double().sum().item()) + " " + repr(state[name].double().norm().item()) + "\n")


main(*sys.argv[1:])
