"""What cleanlab finds in a folder that write_predictions has written.

    python3 find_label_issues.py FOLDER

Reads labels.npy and pred_probs.npy; where wrong.npy is there, a mask of the labels that are wrong, it says how many of
them cleanlab flags. Writes label_issues.npy, a mask. Needs cleanlab.
"""

import pathlib
import sys

import numpy
from cleanlab.filter import find_label_issues

folder = pathlib.Path(sys.argv[1])
labels, probabilities = numpy.load(folder / "labels.npy"), numpy.load(folder / "pred_probs.npy")
issues = find_label_issues(labels, probabilities, n_jobs=1)
numpy.save(folder / "label_issues.npy", issues)
print(f"cleanlab: {issues.sum()} of {len(labels)} samples", end="")
if (folder / "wrong.npy").exists():
    wrong = numpy.load(folder / "wrong.npy")
    print(f", {(issues & wrong).sum()} of the {wrong.sum()} wrong labels", end="")
print()
