"""Corrupting labels: what label-noise code does with N of them.

    python3 label_noise.py --method cleanlab --labels 50000 --rate 0.4

`go` corrupts the same N clean labels once. A method stands for:

    coteaching  Co-teaching's recipe (Han et al. 2018), which many projects took over: a row-stochastic matrix, a Python
                loop over the samples, each label a draw of RandomState.multinomial. Symmetric: 1 - rate on the
                diagonal, the rest shared among the other classes. Theirs keeps CIFAR's labels as a column, which costs
                1.6 times as much
    cleanlab    generate_noisy_labels of cleanlab.benchmarking.noise_generation, with a matrix of that rate by its
                generate_noise_matrix_from_trace: other classes only, in unequal shares; exact counts, rounded down
    numpy       two vectorised draws: which labels change, and a class among all of them, the true one included

The matrices are made before `ready`. coteaching and numpy need NumPy; cleanlab needs the package cleanlab.
"""

import argparse

import numpy as np

from serve import serve


def coteaching(labels, classes, rate):
    matrix = np.full((classes, classes), rate / (classes - 1))
    np.fill_diagonal(matrix, 1 - rate)

    def corrupt():
        random = np.random.RandomState(0)
        noisy = labels.copy()
        for index in range(len(labels)):
            drawn = random.multinomial(1, matrix[labels[index]], 1)[0]
            noisy[index] = np.where(drawn == 1)[0][0]
        return noisy

    return corrupt


def cleanlab(labels, classes, rate):
    from cleanlab.benchmarking.noise_generation import generate_noise_matrix_from_trace, generate_noisy_labels

    shares = np.bincount(labels, minlength=classes) / len(labels)
    matrix = generate_noise_matrix_from_trace(classes, classes * (1 - rate), py=shares, seed=0)
    if matrix is None:
        raise SystemExit(f"cleanlab found no valid noise matrix of rate {rate}")
    return lambda: generate_noisy_labels(labels, matrix)


def vectorised(labels, classes, rate):
    random = np.random.default_rng(0)

    def corrupt():
        n = len(labels)
        return np.where(random.random(n) < rate, random.integers(classes, size=n), labels)

    return corrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="numpy", choices=["coteaching", "cleanlab", "numpy"])
    parser.add_argument("--labels", type=int, default=50_000, help="how many")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--rate", type=float, default=0.4)
    arguments = parser.parse_args()

    labels = np.random.default_rng(1).integers(arguments.classes, size=arguments.labels)
    prepare = {"coteaching": coteaching, "cleanlab": cleanlab, "numpy": vectorised}[arguments.method]
    corrupt = prepare(labels, arguments.classes, arguments.rate)

    def work():
        corrupt()  # its labels are not among the numbers that `serve` prints

    work()
    serve(work)


if __name__ == "__main__":
    main()
