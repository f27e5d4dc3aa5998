"""The Python side of models_test.cpp: the networks of include/regimen/networks, written once more from their papers.

    python3 pytorch_networks.py NAME in.pt out.pt

in.pt is what torch::pickle_save wrote, a dictionary of tensors: "images", and the weights of the C++ network by name.
out.pt is one that torch.save wrote:

    eval, train      the outputs for the images with these weights, in eval mode and then in train mode
    after/...        the weights after that, running statistics among them
    multiply_adds    of one image, counted as the convolutions and linear layers were called
    own/..., answer  weights that were made here, and the output for the images in eval mode with them

Needs PyTorch 1.13 or later and nothing else.
"""

import math
import sys

import torch
from torch import nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    """He et al. 2016, figure 5, left."""

    growth = 1

    def __init__(self, channels_in, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = projection(channels_in, width, stride)

    def forward(self, x):
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(residual + self.shortcut(x))


class Bottleneck(nn.Module):
    """He et al. 2016, figure 5, right, with the stride in the middle."""

    growth = 4

    def __init__(self, channels_in, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.shortcut = projection(channels_in, 4 * width, stride)

    def forward(self, x):
        residual = F.relu(self.bn1(self.conv1(x)))
        residual = F.relu(self.bn2(self.conv2(residual)))
        return F.relu(self.bn3(self.conv3(residual)) + self.shortcut(x))


def projection(channels_in, channels, stride):
    if channels_in == channels and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))


class ResNet(nn.Module):
    def __init__(self, block, numbers):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for stage, number in enumerate(numbers):
            width = 64 * 2**stage
            layer = nn.Sequential()
            for i in range(number):
                layer.add_module(str(i), block(channels, width, 2 if stage > 0 and i == 0 else 1))
                channels = width * block.growth
            self.add_module(f"layer{stage + 1}", layer)
        self.linear = nn.Linear(channels, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


class VGG16(nn.Module):
    """Simonyan & Zisserman 2015, table 1, column D, with BatchNorm and one linear layer."""

    def __init__(self):
        super().__init__()
        layers = []
        channels = 3
        for stage in ([64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3):
            for width in stage:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(512, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class DenseLayer(nn.Module):
    """Huang et al. 2017: BN-ReLU-Conv(1x1)-BN-ReLU-Conv(3x3)."""

    def __init__(self, channels, growth):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, 4 * growth, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        new = self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x))))))
        return torch.cat([x, new], dim=1)


class Transition(nn.Module):
    def __init__(self, channels, kept):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, kept, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.bn(x))), 2)


class DenseNet40(nn.Module):
    """DenseNet-BC with L = 40, k = 12, theta = 0.5: six layers a block, 24 channels to begin with."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 24, 3, padding=1, bias=False)
        self.dense1 = nn.Sequential(*[DenseLayer(24 + 12 * i, 12) for i in range(6)])  # 96
        self.trans1 = Transition(96, 48)
        self.dense2 = nn.Sequential(*[DenseLayer(48 + 12 * i, 12) for i in range(6)])  # 120
        self.trans2 = Transition(120, 60)
        self.dense3 = nn.Sequential(*[DenseLayer(60 + 12 * i, 12) for i in range(6)])  # 132
        self.bn = nn.BatchNorm2d(132)
        self.linear = nn.Linear(132, 10)

    def forward(self, x):
        x = self.trans1(self.dense1(self.conv1(x)))
        x = self.dense3(self.trans2(self.dense2(x)))
        return self.linear(F.avg_pool2d(F.relu(self.bn(x)), 8).flatten(1))


TWINS = {
    "resnet18": lambda: ResNet(BasicBlock, [2, 2, 2, 2]),
    "resnet50": lambda: ResNet(Bottleneck, [3, 4, 6, 3]),
    "vgg16": VGG16,
    "densenet40": DenseNet40,
}


def stir(net):
    """As stir() in models_test.cpp: no two layers alike, and a signal that neither dies out nor explodes."""
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if tensor.dim() == 4:
                tensor.mul_(math.sqrt(6))
            elif tensor.dim() == 1 and name.endswith(("weight", "running_var")):
                tensor.uniform_(0.5, 1.5)
            elif tensor.dim() == 1:
                tensor.uniform_(-0.5, 0.5)


def multiply_adds(net, image):
    counts = []

    def count(layer, _, output):
        counts.append(output.numel() * layer.weight[0].numel())

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    net(image)
    for hook in hooks:
        hook.remove()
    return sum(counts)


def main(name, source, out):
    torch.set_num_threads(1)
    torch.manual_seed(2)
    # Newer versions take LibTorch's pickle only if they are told that it is trusted.
    weights = dict(torch.load(source, weights_only=False))
    images = weights.pop("images")
    net = TWINS[name]().to(images.dtype)
    parameters = [key for key, _ in net.named_parameters()]
    assert [key for key in weights if key in parameters] == parameters, "the order is that of an optimizer's state"
    net.load_state_dict(weights)  # strict: all names, no others, equal shapes

    told = {}
    with torch.no_grad():
        net.eval()
        told["multiply_adds"] = torch.tensor(multiply_adds(net, images[:1]))
        told["eval"] = net(images)
        net.train()
        told["train"] = net(images)
        told.update({"after/" + key: tensor for key, tensor in net.state_dict().items()})

        net = TWINS[name]().to(images.dtype)
        stir(net)
        net.eval()
        told["answer"] = net(images)
        told.update({"own/" + key: tensor for key, tensor in net.state_dict().items()})
    torch.save(told, out)


main(*sys.argv[1:])
