"""The master's decisions without any I/O: bytes for each agent and task, time for each kind of input."""

import subprocess

from benchlib import build


def measure():
    program, = build.programs("fairlead-bench-master-core")
    subprocess.run([program], stdin=subprocess.DEVNULL, check=True)
