"""The Python side of tensorboard_log_test.cpp: TensorBoard itself reads the files, and finds what the CSV log says.

    python3 read_tensorboard.py run.tfevents epochs.csv extra.tfevents

run.tfevents and epochs.csv are of one run; extra.tfevents has a histogram, an image and a text. Needs the package
tensorboard and, of what that depends on, absl-py, numpy and protobuf; no TensorFlow.
"""

import csv
import math
import sys
import zlib

import numpy
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.custom_scalar import layout_pb2

NOTHING_LEFT_OUT = dict.fromkeys(event_accumulator.DEFAULT_SIZE_GUIDANCE, 0)


def read(path):
    events = event_accumulator.EventAccumulator(path, size_guidance=NOTHING_LEFT_OUT)
    events.Reload()
    assert events.file_version == 2, events.file_version
    return events


def tag_of(column):
    if column == "learning_rate":
        return column
    split, _, quantity = column.partition("_")
    if quantity in ("accuracy", "loss") and split in ("train", "fit", "clean", "test", "validation"):
        return f"{quantity}/{split}"
    return f"measures/{column}"


def text_of(tensor_event):
    assert tensor_event.tensor_proto.dtype == 7  # a text
    (text,) = tensor_event.tensor_proto.string_val
    return text


def compare(run, log):
    events = read(run)
    with open(log, newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    wanted = {}
    for step, row in enumerate(rows, 1):
        for column, value in row.items():
            if column not in ("phase", "epoch", "step") and value:
                wanted.setdefault(tag_of(column), []).append((step, float(numpy.float32(float(value)))))
        for column in ("epoch", "step"):
            wanted.setdefault(f"phase/{column}", []).append((step, float(row[column])))
    phases = [row["phase"] for row in rows]
    begins = [i for i in range(len(rows)) if i == 0 or phases[i] != phases[i - 1]]
    wanted["phase/index"] = [(i + 1, float(sum(begin <= i for begin in begins) - 1)) for i in range(len(rows))]

    found = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert found == wanted, (found, wanted)
    assert all(e.wall_time == e.step for e in events.Scalars("phase/index"))
    names = [(e.step, text_of(e).decode()) for e in events.Tensors("phase/name")]
    assert names == [(i + 1, phases[i]) for i in begins], names

    layout = layout_pb2.Layout.FromString(text_of(events.Tensors("custom_scalars__config__")[0]))
    charts = {chart.title: list(chart.multiline.tag) for chart in layout.category[0].chart}
    assert charts["accuracy"] == ["accuracy/.*"], charts


def check_extra(path):
    events = read(path)
    (histogram,) = events.Histograms("margin")
    value = histogram.histogram_value
    assert (value.min, value.max, value.num, value.sum, value.sum_squares) == (-1, 3, 5, 4, 12), value
    assert list(value.bucket_limit) == [0, 1, 2, 3] and list(value.bucket) == [1, 1, 2, 1], value
    (image,) = events.Images("grid")
    assert (image.height, image.width) == (2, 3)
    png = image.encoded_image_string
    begin = png.index(b"IDAT")
    size = int.from_bytes(png[begin - 4 : begin], "big")
    assert zlib.decompress(png[begin + 4 : begin + 4 + size]) == b"\0\1\2\3\0\4\5\6"
    assert int.from_bytes(png[begin + 4 + size : begin + 8 + size], "big") == zlib.crc32(png[begin : begin + 4 + size])
    assert text_of(events.Tensors("note")[0]).decode() == "**caf\u00e9**"
    assert math.isnan(events.Scalars("odd \u00e9/tag")[0].value)


compare(sys.argv[1], sys.argv[2])
check_extra(sys.argv[3])
