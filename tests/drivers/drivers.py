#!/usr/bin/env python3
"""Has a driver of examples/drivers/ train many units of a program while the process of every 30th is killed: the tables must
be those of a run that one process made alone and nobody killed, byte for byte.

    python3 tests/drivers/drivers.py PROGRAM FOLDER DRIVER [SEEDS [SEED]]

PROGRAM is examples/080-many-runs, which has three units for each of its SEEDS. DRIVER is xargs, parallel, slurm, snakemake
or submitit. Exits with 77 where the driver is not there; with REGIMEN_REQUIRE_PEERS=1 that is a failure. Python's drivers are those of
the Python in REGIMEN_PYTHON, else of the one that runs this.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import one_node

DRIVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/drivers")
PYTHON = os.environ.get("REGIMEN_PYTHON", sys.executable)
TRIES = 5  # of the same command, for a driver that has no tries of its own
EVERY = 30


class Killer(threading.Thread):
    """Kills the process that trains every 30th unit, at a random moment of its life; of the first `most` units, or a
    driver that starts anew with all of them would never come to an end."""

    def __init__(self, program, most, dice):
        super().__init__(daemon=True)
        self.program, self.most, self.dice = program.encode(), most, dice
        self.seen, self.units, self.killed, self.ends = set(), 0, 0, threading.Event()

    def run(self):
        due = False
        while not self.ends.wait(0.01):
            for name in os.listdir("/proc"):
                if not name.isdigit() or name in self.seen:
                    continue
                words = self.words_of(name)
                if not words or words[0] != self.program or b"--unit" not in words:
                    continue
                self.seen.add(name)
                before, count = self.units, words[-2].count(b",") + 1
                self.units += count
                due = due or (self.units // EVERY > before // EVERY and self.units <= self.most)
                if due:
                    self.wait_for_work(name)
                    time.sleep(self.dice.uniform(0, 0.05 * count))
                    due = not self.kill(name)

    def words_of(self, name):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                return file.read().split(b"\0")
        except OSError:
            return []

    def wait_for_work(self, name):
        """Three times in four until the process has loaded LibTorch and begun to train: then it waits for signals in a
        second thread."""
        if self.dice.random() < 0.75:
            while os.path.isdir(f"/proc/{name}/task") and len(os.listdir(f"/proc/{name}/task")) < 2:
                time.sleep(0.005)

    def kill(self, name):
        """Kills a process that still is one of the program's; whether it did."""
        if self.words_of(name)[:1] != [self.program]:
            return False  # it has ended: the next one is killed instead
        try:
            os.kill(int(name), signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.killed += 1
        return True


def sh(command, **how):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **how)


def has(command):
    return shutil.which(command[0]) is not None and sh(command).returncode == 0


def commands_of(driver, program, options, out, folder):
    """The command that has the driver do it all; None where there is no such driver."""
    script = lambda name: os.path.join(DRIVERS, name)
    words = [program, *options, "--out", out]
    if driver == "xargs":
        return ["sh", script("units.sh"), *words]
    if driver == "parallel":
        return ["sh", script("parallel.sh"), *words] if has(["parallel", "--version"]) else None
    if driver == "submitit":
        there = has([PYTHON, "-c", "import submitit"])
        return [PYTHON, script("submitit_units.py"), os.path.join(folder, "logs"), *words] if there else None
    if driver == "snakemake":
        snakemake = [PYTHON, "-m", "snakemake"] if has([PYTHON, "-c", "import snakemake"]) else ["snakemake"]
        if not has([*snakemake, "--version"]):
            return None
        return [*snakemake, "--snakefile", script("Snakefile"), "--directory", folder, "--cores", "2", "--keep-going",
                "--quiet", "all", "--config", f"program={program}", f"options={' '.join(options)}", f"out={out}"]
    pack = 10
    units = 3 * int(options[1])
    # Not by the status of sbatch --wait, which leaves out tasks that ended longer ago than SLURM's MinJobAge.
    return ["sh", "-c", f"PACK={pack} sbatch --wait --output {folder}/slurm-%a.log --array=1-{-(-units // pack)} "
            f"{script('array.sbatch')} \"$@\"; [ $(ls {out}/done | wc -l) = {units} ] && \"$@\" --collect", "slurm", *words]


def drive(command, folder):
    """Runs the command until it has succeeded; the number of tries."""
    for count in range(1, TRIES + 1):
        done = sh(command, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"})
        if done.returncode == 0:
            return count
    sys.exit(f"FAILED: {TRIES} tries of {' '.join(command)}, the last with status {done.returncode}:\n{done.stderr[-4000:]}")


def tables_of(folder):
    found = {}
    for name in ("results.csv", "epochs.csv", "table.txt"):
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = file.read()
    return found


def check(program, folder, driver, seeds, dice):
    # By a path of its own, for the one that kills: several of these tests may run at a time.
    os.symlink(program, folder + "/many_runs")
    program = folder + "/many_runs"
    options = ["--seeds", str(seeds), "--epochs", "40"]
    subprocess.run([program, *options, "--quiet", "--workers", "1", "--out", folder + "/alone"], check=True,
                   stdout=subprocess.DEVNULL)
    command = commands_of(driver, program, options, folder + "/driven", folder)
    if command is None:
        return 77
    killer = Killer(program, 3 * seeds, dice)
    killer.start()
    begin = time.monotonic()
    tries = drive(command, folder)
    seconds = time.monotonic() - begin
    killer.ends.set()
    killer.join()

    for name, content in tables_of(folder + "/alone").items():
        if content != tables_of(folder + "/driven")[name]:
            sys.exit(f"FAILED: {driver}: {name} is not what one process writes")
    if killer.killed < 3 * seeds // EVERY - 1:
        sys.exit(f"FAILED: {driver}: {killer.killed} of {len(killer.seen)} processes were killed, for {3 * seeds} units")
    done = len(os.listdir(folder + "/driven/done"))
    if done != 3 * seeds:
        sys.exit(f"FAILED: {driver}: {done} of {3 * seeds} units are done")
    print(f"{driver}: {3 * seeds} units in {len(killer.seen)} processes, {killer.killed} of them killed, {tries} "
          f"{'try' if tries == 1 else 'tries'}, {seconds:.0f} s; the tables are equal to the byte")
    return 0


def main():
    program, folder, driver = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
    seeds = int(sys.argv[4]) if len(sys.argv) > 4 else 100
    dice = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if driver in ("slurm", "submitit"):
        with one_node.slurm(folder + "/slurm") as there:
            if not there:
                os.environ["CLUSTER"] = "local"  # for submitit, which does without
            status = check(program, folder, driver, seeds, dice) if there or driver == "submitit" else 77
    else:
        status = check(program, folder, driver, seeds, dice)
    if status == 77:
        print(f"skipped: {driver} is not there")
        status = 1 if os.environ.get("REGIMEN_REQUIRE_PEERS") == "1" else 77
    return status


if __name__ == "__main__":
    sys.exit(main())
