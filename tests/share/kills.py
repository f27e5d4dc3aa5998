#!/usr/bin/env python3
"""Kills random workers of a shared run under torchrun, and starts it again with another number of them: what comes out
must be what comes out of one process that nobody killed, to the last digit.

    python3 tests/share/kills.py PROGRAM FOLDER KILLS [SEED]

PROGRAM is examples/070-data-parallel. torchrun is that of the Python in REGIMEN_PYTHON, else of Debian's. Exits with 77
where there is none.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

PYTHON = os.environ.get("REGIMEN_PYTHON", "/usr/bin/python3")
NUMBERS = (1, 2, 4, 8)  # of workers


def has_torchrun():
    return subprocess.run([PYTHON, "-c", "import torch.distributed.run"], capture_output=True).returncode == 0


def workers_of(agent, program):
    """The processes of PROGRAM that a torchrun has started."""
    found = []
    listed = subprocess.run(["ps", "--ppid", str(agent), "-o", "pid=,args="], capture_output=True, text=True).stdout
    for line in listed.splitlines():
        pid, args = line.split(maxsplit=1)
        if args.startswith(program):
            found.append(int(pid))
    return found


def end_of(folder):
    """What a run has left: its weights, and the numbers of every epoch."""
    left = []
    for name in ("net.pt", "epochs.csv"):
        with open(os.path.join(folder, name), "rb") as file:
            left.append(file.read())
    return left


def launch(program, folder, epochs, number, restarts, logs):
    # Debian's torchrun, of LibTorch 1.13, fails with Python 3.11 unless the outputs go somewhere.
    return subprocess.Popen(
        [PYTHON, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={number}", f"--max_restarts={restarts}",
         "--monitor_interval=0.1", "--redirects=1", "--tee=2", f"--log_dir={logs}", "--no_python", program, folder, str(epochs)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def main():
    program, folder, kills = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    dice = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    if not has_torchrun():
        print(f"skipped: {PYTHON} has no torch.distributed.run")
        return 77
    shutil.rmtree(folder, ignore_errors=True)
    whole, shared, logs = (os.path.join(folder, name) for name in ("whole", "shared", "logs"))
    os.makedirs(whole)
    os.makedirs(shared)
    epochs = 40 * kills
    subprocess.run([program, whole, str(epochs)], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})

    killed = launches = 0
    numbers = []
    while True:
        number = dice.choice(NUMBERS)
        numbers.append(number)
        restarts = dice.choice((0, 0, 2))  # torchrun starts the same number anew, or we another
        agent = launch(program, shared, epochs, number, restarts, logs)
        launches += 1
        before = killed
        seen = set()
        while agent.poll() is None:
            workers = workers_of(agent.pid, program)
            if killed == kills or len(workers) < number or seen & set(workers):
                time.sleep(0.02)
                continue
            seen |= set(workers)
            time.sleep(dice.uniform(0, 1.5))
            try:
                os.kill(dice.choice(workers), signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass  # over already
        errors = agent.stderr.read()
        if agent.returncode == 0:
            break
        if killed == before:
            print(errors)
            print("a launch failed of which nobody was killed")
            return 1
    print(f"{killed} workers killed in {launches} launches of {numbers} processes, {epochs} epochs")
    if killed < kills:
        print(f"the run was over before {kills} workers were killed")
        return 1
    if end_of(whole) != end_of(shared):
        print("the weights or the epochs differ from those of the run that was never killed")
        return 1
    print("the weights and all epochs are those of the run that was never killed, to the last bit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
