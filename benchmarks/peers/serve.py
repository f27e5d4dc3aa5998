"""A server of measurements: what every script here does once it has warmed up, so that ours and theirs can take turns.

It prints `ready`. For each line `go` on stdin it then does its work once and prints the seconds that this took, with
whatever numbers the work returned behind them, on one line. At the end of stdin it exits. Nothing else goes to stdout.
"""

import sys
import time


def serve(work, synchronize=lambda: None, rest=0.0, afterwards=None):
    """Answers until the end of stdin.

    synchronize: waits for the device; called before the clock starts and before it stops.
    afterwards: takes the work's numbers and returns those to print, when the clock has stopped.
    rest: seconds to sleep before answering, so that whoever is measured next does not share the processor with what
        this work left running, such as a DataLoader's workers that fill their queue.
    """
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() != "go":
            sys.exit(f"serve: expected 'go', not {line.strip()!r}")
        synchronize()
        began = time.perf_counter()
        further = work()
        synchronize()
        seconds = time.perf_counter() - began
        if afterwards:
            further = afterwards(*further)
        time.sleep(rest)
        print(f"{seconds:.9f}", *(further or ()), flush=True)
