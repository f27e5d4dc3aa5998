"""The two networks of images.py, layer for layer those of the C++ side.

resnet18: include/regimen/networks/resnet.hpp, which is the authors' (He et al. 2016 with a 3x3 stem and no pooling).
pooled: PooledResNet of examples/kit/pooled_resnet.hpp.
"""

from torch import nn
from torch.nn import functional as F


def convolution(channels_in, channels, kernel, stride):
    return nn.Conv2d(channels_in, channels, kernel, stride=stride, padding=kernel // 2, bias=False)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm around a shortcut."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.first = convolution(channels_in, channels, 3, stride)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = convolution(channels, channels, 3, 1)
        self.second_norm = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity()
        if channels_in != channels or stride != 1:
            self.shortcut = nn.Sequential(convolution(channels_in, channels, 1, stride), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = F.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return F.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    """A 3x3 stem, stages of blocks that double the width and halve the side, the mean over the image, a linear layer.

    pool: the side of the max pooling after the stem; 1: none.
    """

    def __init__(self, channels, width, stages, blocks, pool=1, classes=10):
        super().__init__()
        self.stem = convolution(channels, width, 3, 1)
        self.stem_norm = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(pool) if pool > 1 else nn.Identity()
        self.blocks = nn.Sequential()
        before = width
        for stage in range(stages):
            now = width * 2**stage
            for block in range(blocks):
                self.blocks.append(ResidualBlock(before, now, 2 if stage > 0 and block == 0 else 1))
                before = now
        self.last = nn.Linear(before, classes)

    def forward(self, x):
        x = self.pool(F.relu(self.stem_norm(self.stem(x))))
        return self.last(self.blocks(x).mean((2, 3)))


def make(name, channels):
    """The network, and a check that it is the one whose size is published."""
    if name == "resnet18":
        net, published, published_channels = ResNet(channels, 64, stages=4, blocks=2), 11_173_962, 3
    else:
        net, published, published_channels = ResNet(channels, 32, stages=3, blocks=1, pool=2), 308_074, 1
    # Only the stem knows the number of channels.
    expected = published + (channels - published_channels) * net.stem.weight[:, 0].numel()
    found = sum(parameter.numel() for parameter in net.parameters())
    assert found == expected, f"{name} has {found} parameters, not {expected}"
    return net
