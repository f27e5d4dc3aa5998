#!/usr/bin/env python3
"""All units of a program by submitit: by SLURM where there is one, else, or with CLUSTER=local, by this machine.

    python3 submitit_units.py LOGS PROGRAM [OPTION...]

Each job trains a pack of PACK units (default: 10), one after another. At its time limit it is saved and submitted again.
Units that are done end at once, so what failed has another try by the same command.
"""
import os
import subprocess
import sys

import submitit


class Units:
    def __init__(self, command):
        self.command = command

    def __call__(self):
        self.process = subprocess.Popen(self.command)
        if self.process.wait() != 0:
            raise RuntimeError(f"{self.command[0]} ended with status {self.process.returncode}")

    def checkpoint(self):  # submitit calls it before the time limit; SIGTERM has the program save its unit
        self.process.terminate()
        self.process.wait()
        return submitit.helpers.DelayedSubmission(Units(self.command))


logs, program = sys.argv[1], sys.argv[2:]
pack = int(os.environ.get("PACK", "10"))
names = subprocess.run([*program, "--list"], check=True, capture_output=True, text=True).stdout.split()
packs = [",".join(names[i : i + pack]) for i in range(0, len(names), pack)]
executor = submitit.AutoExecutor(folder=logs, cluster=os.environ.get("CLUSTER"))
executor.update_parameters(timeout_min=60, cpus_per_task=1, slurm_array_parallelism=64)
with executor.batch():
    jobs = [executor.submit(Units([*program, "--quiet", "--threads", "1", "--unit", each])) for each in packs]
for job in jobs:
    job.result()
subprocess.run([*program, "--collect"], check=True)
