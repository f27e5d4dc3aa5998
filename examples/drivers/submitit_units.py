"""All units of a program by submitit, on SLURM, or with CLUSTER=local on this machine, in packs of PACK (default: 10).

    python3 submitit_units.py LOGS PROGRAM [OPTION...]

At its time limit a job is saved and submitted again. Units that are done end at once: what failed has another try by the
same command."""
import os, signal, subprocess, sys, time

import submitit

class Units:
    def __init__(self, command):
        self.command = command

    def __call__(self):
        ignore = lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # SLURM sends it to all, before the time limit
        self.process = subprocess.Popen(self.command, preexec_fn=ignore)
        if self.end() != 0:
            raise RuntimeError(f"{self.command[0]} ended with status {self.process.returncode}")

    def end(self):
        while self.process.poll() is None:  # wait() would hold a lock that checkpoint(), a signal's handler, needs
            time.sleep(0.1)
        return self.process.returncode

    def checkpoint(self):  # submitit calls it then; SIGTERM has the program save its unit
        self.process.terminate()
        self.end()
        return submitit.helpers.DelayedSubmission(Units(self.command))

logs, program, pack = sys.argv[1], sys.argv[2:], int(os.environ.get("PACK", "10"))
names = subprocess.check_output([*program, "--list"], text=True).split()
executor = submitit.AutoExecutor(folder=logs, cluster=os.environ.get("CLUSTER"))
executor.update_parameters(timeout_min=60, cpus_per_task=1, slurm_array_parallelism=64)
with executor.batch():
    jobs = [executor.submit(Units([*program, "--quiet", "--threads", "1", "--unit", ",".join(names[i : i + pack])]))
            for i in range(0, len(names), pack)]
[job.result() for job in jobs]
subprocess.run([*program, "--collect"], check=True)
