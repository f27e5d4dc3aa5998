"""A SLURM of this machine alone, with munge, whose files lie in one folder; slurmctld and slurmd must run as root."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "sinfo")

CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={next_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1
MinJobAge=2
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def two_free_ports():
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def is_idle():
    said = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True)
    return said.stdout.strip() == "idle"


@contextlib.contextmanager
def slurm(folder):
    """Yields whether there is a SLURM; in its context sbatch and srun find it by SLURM_CONF."""
    os.environ["PATH"] += ":/usr/sbin"
    if os.geteuid() != 0 or any(shutil.which(each) is None for each in PROGRAMS):
        yield False
        return
    for name in ("munge", "state", "spool"):
        os.makedirs(f"{folder}/{name}")
    os.chmod(folder, 0o755)
    port, next_port = two_free_ports()
    with open(folder + "/slurm.conf", "w") as file:
        file.write(CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=folder, port=port,
                                        next_port=next_port, processors=os.cpu_count()))
    with open(folder + "/munge/key", "wb") as file:
        file.write(os.urandom(1024))
    os.chmod(folder + "/munge/key", 0o400)
    os.environ["SLURM_CONF"] = folder + "/slurm.conf"
    daemons = []
    try:
        for command in (["munged", "--foreground", "--force", f"--key-file={folder}/munge/key",
                         f"--socket={folder}/munge/socket", f"--pid-file={folder}/munge/pid",
                         f"--log-file={folder}/munge/log", f"--seed-file={folder}/munge/seed"],
                        ["slurmctld", "-D"], ["slurmd", "-D"]):
            daemons.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            time.sleep(1)
        for _ in range(60):
            if is_idle():
                break
            time.sleep(0.5)
        yield is_idle()
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
