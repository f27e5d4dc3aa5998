"""The Python side of steps_test.cpp: gradients, averages and sharpness-aware steps by PyTorch's own functions where it
has them, by timm's where it is installed, and by the published formulas where not.

    python3 steps.py in.pt out.txt

in.pt is what torch::pickle_save wrote: a list of tensors, in the order in which it is read here. out.txt gets every
number of every result. Needs PyTorch 1.13 or later.
"""

import copy
import importlib.util
import inspect
import os
import sys

import torch
from torch import nn
from torch.optim import swa_utils
from torch.optim.swa_utils import AveragedModel, update_bn


def timm_function(file, name):
    """A function of timm's, or None without timm. By its file: to import all of timm takes torchvision and others."""
    package = importlib.util.find_spec("timm")
    if package is None:
        return None
    spec = importlib.util.spec_from_file_location(name, os.path.join(os.path.dirname(package.origin), file))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


adaptive_clip_grad = timm_function("utils/agc.py", "adaptive_clip_grad")


def clipped_by_value(gradient, bound):
    parameter = nn.Parameter(torch.zeros_like(gradient))
    parameter.grad = gradient.clone()
    nn.utils.clip_grad_value_([parameter], bound)
    return parameter.grad


def unit_norm(tensor):
    return tensor.norm() if tensor.ndim < 2 else tensor.norm(2, dim=tuple(range(1, tensor.ndim)), keepdim=True)


def clipped_adaptively(weight, gradient, factor, floor):
    """timm's own function where timm is installed; elsewhere Brock et al. 2021, equation 3, as timm computes it."""
    if adaptive_clip_grad is not None:
        parameter = nn.Parameter(weight.clone())
        parameter.grad = gradient.clone()
        adaptive_clip_grad([parameter], clip_factor=factor, eps=floor)
        return parameter.grad
    most = unit_norm(weight).clamp(min=floor) * factor
    norm = unit_norm(gradient)
    return torch.where(norm < most, gradient, gradient * (most / norm.clamp(min=1e-6)))


def plain_network():
    return nn.Sequential(nn.Linear(2, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))


def network(tensors):
    net = plain_network()
    with torch.no_grad():
        for tensor in list(net.parameters()) + list(net.buffers()):
            tensor.copy_(tensors.pop(0))
    return net


def exponential(net, decay):
    """PyTorch's exponential average where it has one, since 2.1; before that a mean of its AveragedModel's. Composer's
    compute_ema is the same, decay * mean + (1 - decay) * now, of buffers too."""
    if hasattr(swa_utils, "get_ema_multi_avg_fn"):
        return AveragedModel(net, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay), use_buffers=True)
    return AveragedModel(net, avg_fn=lambda mean, now, n: decay * mean + (1 - decay) * now, use_buffers=True)


def floats(net):
    return [tensor for tensor in [*net.parameters(), *net.buffers()] if tensor.is_floating_point()]


def averaged(steps, decay):
    """Of a network that is at these places one after the other: an exponential average and a stochastic one."""
    net = plain_network()
    averages = [exponential(net, decay), AveragedModel(net)]
    for step in steps:
        with torch.no_grad():
            for tensor, value in zip(floats(net), step):
                tensor.copy_(value)
        for average in averages:
            average.update_parameters(net)
    for mean, last in zip(averages[1].module.buffers(), net.buffers()):
        mean.copy_(last)  # as PyTorch does by itself since 2.0
    return [tensor for average in averages for tensor in floats(average.module)]


def uphill(net, optimizer, batch, target, rho, eta):
    """One step of SAM (eta None) or ASAM over an optimizer; the second pass leaves the running statistics alone.

    SAM by the formula of Composer's SAMOptimizer too: uphill by rho / (norm + 1e-12), down again, and a step of the base.
    """
    parameters = list(net.parameters())
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(batch), target).backward()
    with torch.no_grad():
        scales = [torch.ones_like(p) if eta is None else p.abs() + eta for p in parameters]
        length = rho / (torch.stack([(p.grad * t).norm() for p, t in zip(parameters, scales)]).norm() + 1e-12)
        moves = [p.grad * t * t * length for p, t in zip(parameters, scales)]
        for p, move in zip(parameters, moves):
            p.add_(move)
    kept = [buffer.clone() for buffer in net.buffers()]
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(batch), target).backward()
    with torch.no_grad():
        for buffer, value in zip(net.buffers(), kept):
            buffer.copy_(value)
        for p, move in zip(parameters, moves):
            p.sub_(move)
    optimizer.step()


def main(source, target_path):
    torch.set_num_threads(1)
    # LibTorch's pickle is a list that newer versions of torch.load take only if told that it is trusted.
    trusted = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
    tensors = list(torch.load(source, **trusted))
    bound, factor, floor, decay, rho, adaptive_rho, eta = tensors.pop(0).tolist()
    results = [clipped_by_value(tensors.pop(0), bound)]
    for _ in range(3):
        weight, gradient = tensors.pop(0), tensors.pop(0)
        results.append(clipped_adaptively(weight, gradient, factor, floor))

    each = len(floats(plain_network()))
    results += averaged([[tensors.pop(0) for _ in range(each)] for _ in range(5)], decay)

    net = network(tensors)
    batches = [tensors.pop(0) for _ in range(3)]
    targets = [tensors.pop(0) for _ in range(3)]
    assert not tensors
    estimated = copy.deepcopy(net)
    update_bn(batches, estimated)
    results += list(estimated.buffers())

    for each_rho, each_eta in ((rho, None), (adaptive_rho, eta)):
        trained = copy.deepcopy(net).train()
        optimizer = torch.optim.SGD(trained.parameters(), lr=0.1, momentum=0.9)
        for _ in range(2):
            for batch, target in zip(batches, targets):
                uphill(trained, optimizer, batch, target, each_rho, each_eta)
        results += list(trained.parameters()) + list(trained.buffers())

    with open(target_path, "w", encoding="ascii") as file:
        for result in results:
            for number in result.detach().flatten().tolist():
                file.write(repr(float(number)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
