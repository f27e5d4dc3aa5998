"""Training a ResNet on images: the authors' loop, and the one that a PyTorch user with an eye on speed writes today.

    python3 images.py --model resnet18 --variant authors --device cpu --threads 2 --steps 4

`go` is --steps steps of SGD (momentum 0.9, weight decay 5e-4) with augmentation (pad 4, random crop, flip), each of
--batch images. The images are random bytes with a fixed seed: what they show costs nothing. A variant stands for:

    authors    the authors' trainer (Liu et al. 2020): a Dataset of uint8 images, transforms sample by sample in Python
               as torchvision has them, a DataLoader, fp32, NCHW, torch.optim.SGD as it comes. Theirs has 4 workers and
               pinned memory on CUDA and no workers on a CPU. It reads nothing back during an epoch; many scripts show
               the loss and the accuracy after every step, which --progress-bar adds. The transforms here draw and
               compute what torchvision's do, bit for bit, in less than a third of the time; --torchvision takes
               torchvision's own, on PIL's images, as theirs does
    idiomatic  images as uint8 on the device, a batch picked by a randperm, crop and flip for the whole batch on the
               device, channels_last, fp32 or bf16 autocast, torch.optim.SGD as it comes; no compile, no graphs, no
               .item()

fp32 means PyTorch's defaults, which on CUDA are TF32 in convolutions and not in matrix products, unless --tf32 says
otherwise. Needs PyTorch and NumPy, and torchvision only where it is asked for.
"""

import argparse
import contextlib

import numpy as np
import torch
from torch.nn import functional as F

import networks
from serve import serve

CLASSES = 10
STATISTICS = {3: ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)), 1: ((0.2860,), (0.3530,))}


# What a sample goes through, one at a time: torchvision's transforms on arrays [height, width, channels] instead of
# PIL's images. Like torchvision's they draw from torch's generator, and normalise out of place.


class RandomCrop:
    def __init__(self, side, padding):
        self.side = side
        self.padding = padding

    def __call__(self, image):
        within = slice(self.padding, self.padding + self.side)
        padded = np.zeros((self.side + 2 * self.padding, self.side + 2 * self.padding, image.shape[2]), np.uint8)
        padded[within, within] = image
        top = torch.randint(0, 2 * self.padding + 1, (1,)).item()
        left = torch.randint(0, 2 * self.padding + 1, (1,)).item()
        return padded[top : top + self.side, left : left + self.side]


class RandomHorizontalFlip:
    def __call__(self, image):
        return image[:, ::-1] if torch.rand(1) < 0.5 else image


class ToTensor:
    def __call__(self, image):
        return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).to(torch.float32).div(255)


class Normalize:
    def __init__(self, mean, std):
        self.mean = mean
        self.std = std

    def __call__(self, image):
        mean = torch.as_tensor(self.mean).view(-1, 1, 1)
        std = torch.as_tensor(self.std).view(-1, 1, 1)
        return image.clone().sub_(mean).div_(std)


def own_transforms(side, padding, mean, std):
    return [RandomCrop(side, padding), RandomHorizontalFlip(), ToTensor(), Normalize(mean, std)]


def torchvision_transforms(side, padding, mean, std):
    from PIL import Image
    from torchvision import transforms

    return [lambda image: Image.fromarray(image.squeeze()), transforms.RandomCrop(side, padding=padding),
            transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize(mean, std)]


class Images(torch.utils.data.Dataset):
    def __init__(self, images, labels, transforms):
        self.images = images
        self.labels = labels
        self.transforms = transforms

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        for transform in self.transforms:
            image = transform(image)
        return image, self.labels[index]


def sgd(net):
    return torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)


# Each variant is a generator without end that yields after every step, so that a chunk may end within an epoch.


def authors(net, images, labels, arguments):
    make_transforms = torchvision_transforms if arguments.torchvision else own_transforms
    transforms = make_transforms(arguments.side, arguments.padding, *STATISTICS[arguments.channels])
    loader = torch.utils.data.DataLoader(
        Images(images, labels.tolist(), transforms), batch_size=arguments.batch, shuffle=True,
        num_workers=arguments.workers, pin_memory=arguments.device == "cuda")
    optimizer = sgd(net)
    criterion = torch.nn.CrossEntropyLoss()
    net.train()
    while True:
        for x, y in loader:
            x, y = x.to(arguments.device), y.to(arguments.device)
            optimizer.zero_grad()
            output = net(x)
            loss = criterion(output, y)
            loss.backward()
            optimizer.step()
            if arguments.progress_bar:
                loss.item()
                output.argmax(1).eq(y).sum().item()
            yield


def cropped_and_flipped(images, side, padding):
    """Each image [channels, side, side] of a batch at its own place and, or not, in the mirror."""
    device = images.device
    n = len(images)
    windows = F.pad(images, (padding,) * 4).unfold(2, side, 1).unfold(3, side, 1)
    top, left = torch.randint(0, 2 * padding + 1, (2, n), device=device)
    crops = windows[torch.arange(n, device=device), :, top, left]
    mirrored = torch.rand(n, 1, 1, 1, device=device) < 0.5
    return torch.where(mirrored, crops.flip(3), crops)


def idiomatic(net, images, labels, arguments):
    device = arguments.device
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(device)
    labels = torch.from_numpy(labels).to(device)
    mean, std = (255 * torch.tensor(v, device=device).view(1, -1, 1, 1) for v in STATISTICS[arguments.channels])
    net.to(memory_format=torch.channels_last).train()
    optimizer = sgd(net)
    half = torch.autocast(device, torch.bfloat16) if arguments.precision == "bf16" else contextlib.nullcontext()
    while True:
        for rows in torch.randperm(len(images), device=device).split(arguments.batch):
            x = cropped_and_flipped(images[rows], arguments.side, arguments.padding)
            x = x.to(torch.float32, memory_format=torch.channels_last).sub_(mean).div_(std)
            optimizer.zero_grad()
            with half:
                loss = F.cross_entropy(net(x), labels[rows])
            loss.backward()
            optimizer.step()
            yield


def random_data(arguments):
    random = np.random.default_rng(1)
    # Whole batches only: then every step is of --batch images.
    n = max(1, arguments.images // arguments.batch) * arguments.batch
    shape = (n, arguments.side, arguments.side, arguments.channels)
    return random.integers(256, size=shape, dtype=np.uint8), random.integers(CLASSES, size=n)


def set_up(arguments):
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    if arguments.tf32 != "default":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = arguments.tf32 == "on"


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet18", choices=["resnet18", "pooled"])
    parser.add_argument("--variant", default="authors", choices=["authors", "idiomatic"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"], help="bf16: of idiomatic only")
    parser.add_argument("--tf32", default="default", choices=["default", "on", "off"])
    parser.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch takes")
    parser.add_argument("--workers", type=int, default=2, help="of the authors' DataLoader")
    parser.add_argument("--progress-bar", action="store_true", help="authors: read loss and accuracy after every step")
    parser.add_argument("--torchvision", action="store_true", help="authors: its transforms instead of those here")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--channels", type=int, choices=[1, 3], help="default: 3 for resnet18, 1 for pooled")
    parser.add_argument("--side", type=int, help="default: 32 for resnet18, 28 for pooled")
    parser.add_argument("--padding", type=int, default=4, help="of the random crop")
    parser.add_argument("--images", type=int, default=50_000, help="in the set; whole batches of them are used")
    parser.add_argument("--random-data", action="store_true", help="the default, and all that there is")
    parser.add_argument("--steps", type=int, default=10, help="in one measured chunk")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before `ready`")
    arguments = parser.parse_args()
    if arguments.variant == "authors" and arguments.precision != "fp32":
        parser.error("the authors' trainer knows fp32 only")
    arguments.channels = arguments.channels or {"resnet18": 3, "pooled": 1}[arguments.model]
    arguments.side = arguments.side or {"resnet18": 32, "pooled": 28}[arguments.model]
    return arguments


def main():
    arguments = read_arguments()
    set_up(arguments)
    net = networks.make(arguments.model, arguments.channels).to(arguments.device)
    variant = {"authors": authors, "idiomatic": idiomatic}[arguments.variant]
    training = variant(net, *random_data(arguments), arguments)

    def train(steps):
        for _ in range(steps):
            next(training)

    on_cuda = arguments.device == "cuda"
    train(arguments.warm_up)
    serve(lambda: train(arguments.steps), torch.cuda.synchronize if on_cuda else lambda: None,
          # After a chunk the workers fill their queue, and would disturb whoever is measured next.
          rest=0.2 if arguments.variant == "authors" and arguments.workers else 0.0)


if __name__ == "__main__":
    main()
