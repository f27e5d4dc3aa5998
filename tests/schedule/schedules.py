"""The Python side of schedule_parity_test.cpp: what PyTorch's schedulers say, a line each: its name and its values.

    python3 schedules.py values.txt

A rate of 1 at first, and one value before each of the steps. Needs PyTorch 1.13 or later and nothing else.
"""

import sys
import warnings

import torch
from torch.optim import lr_scheduler

STEPS = 21
LOSSES = [100, 89, 81, 80, 79, 78, 77, 60, 59.5, 59, 58.9, 58.8, 58.7, 58.6, 58.5, 58.4, 58.3, 58.2, 58.1, 58, 57.9]


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)


def values_of(make, name="lr"):
    sgd = optimizer()
    scheduler = make(sgd)
    values = []
    for step in range(STEPS):
        values.append(sgd.param_groups[0][name])
        sgd.step()
        if step + 1 < STEPS:
            scheduler.step()
    return values


def plateau(losses, **options):
    sgd = optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(sgd, eps=0, **options)
    values = []
    for loss in losses:
        scheduler.step(loss)
        values.append(sgd.param_groups[0]["lr"])
    return values


def sequential(sgd):
    parts = [
        lr_scheduler.LinearLR(sgd, start_factor=0.25, total_iters=4),
        lr_scheduler.ExponentialLR(sgd, gamma=0.9),
    ]
    return lr_scheduler.SequentialLR(sgd, parts, milestones=[4])


def chained(sgd):
    parts = [
        lr_scheduler.ConstantLR(sgd, factor=0.5, total_iters=5),
        lr_scheduler.ExponentialLR(sgd, gamma=0.9),
    ]
    return lr_scheduler.ChainedScheduler(parts)


def one_cycle(**options):
    return lambda sgd: lr_scheduler.OneCycleLR(sgd, max_lr=1.0, total_steps=STEPS, **options)


CASES = {
    "StepLR": lambda sgd: lr_scheduler.StepLR(sgd, 3, gamma=0.3),
    "MultiStepLR": lambda sgd: lr_scheduler.MultiStepLR(sgd, [2, 5, 11], gamma=0.3),
    "ConstantLR": lambda sgd: lr_scheduler.ConstantLR(sgd, factor=0.5, total_iters=5),
    "LinearLR": lambda sgd: lr_scheduler.LinearLR(sgd, start_factor=0.25, end_factor=0.75, total_iters=7),
    "ExponentialLR": lambda sgd: lr_scheduler.ExponentialLR(sgd, gamma=0.9),
    "PolynomialLR": lambda sgd: lr_scheduler.PolynomialLR(sgd, total_iters=7, power=2.5),
    "CosineAnnealingLR": lambda sgd: lr_scheduler.CosineAnnealingLR(sgd, T_max=STEPS, eta_min=0.1),
    "CosineAnnealingWarmRestarts": lambda sgd: lr_scheduler.CosineAnnealingWarmRestarts(sgd, T_0=5, eta_min=0.1),
    "CosineAnnealingWarmRestarts2": lambda sgd: lr_scheduler.CosineAnnealingWarmRestarts(sgd, T_0=3, T_mult=2),
    "SequentialLR": sequential,
    "ChainedScheduler": chained,
    "LambdaLR": lambda sgd: lr_scheduler.LambdaLR(sgd, lambda epoch: 1 / (1 + epoch)),
    "OneCycleLR": one_cycle(),
    "OneCycleLR_linear": one_cycle(pct_start=0.4, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0),
    "OneCycleLR_three": one_cycle(three_phase=True),
}


def main(path):
    warnings.simplefilter("ignore")
    results = {name: values_of(make) for name, make in CASES.items()}
    results["OneCycleLR_momentum"] = values_of(one_cycle(), "momentum")
    results["ReduceLROnPlateau"] = plateau(LOSSES, factor=0.5, patience=1, threshold=0.05, cooldown=2, min_lr=0.01)
    accuracies = [1 - loss / 128 for loss in LOSSES]
    results["ReduceLROnPlateau_max"] = plateau(accuracies, mode="max", factor=0.3, patience=2, threshold=0.02)
    with open(path, "w", encoding="ascii") as file:
        for name, values in results.items():
            file.write(" ".join([name, *map(repr, values)]) + "\n")


main(*sys.argv[1:])
