"""What our processes hold in memory, as the kernel counts it; the targets that tests hold and benchmarks print."""

import contextlib
from typing import NamedTuple

from .framework import Framework, command_task
from .system import BedError

MIB = 1 << 20
COMMAND_NAME_MAX = 15  # the kernel keeps so much of a program's name


class Target(NamedTuple):
    program: str
    host: str
    bytes_max: int | None  # resident; None: no target is set


# With one agent and one running task.
TARGETS = [
    Target("fairlead-supervisor", "agent1", 1 * MIB),
    Target("fairlead-masterd", "master1", 30 * MIB),
    Target("fairlead-nodeagentd", "agent1", None),
]


class Held(NamedTuple):
    resident: int      # bytes; pages that are shared with other programs count in full
    proportional: int  # bytes; a page shared by n processes counts as 1/n
    private: int       # bytes; what would be free if the process ended


def held_by(b, host, program):
    """Of the process of that program that holds most on a host of a bed; a supervisor without a task holds less."""
    pids = b.on(host, f"pgrep -x {program[:COMMAND_NAME_MAX]}", check=False).split()
    if not pids:
        raise BedError(f"no process of {program} on {host}")
    return max(held_by_process(b, host, pid) for pid in pids)


def held_by_process(b, host, pid):
    sizes = {}
    for line in b.on(host, f"cat /proc/{pid}/smaps_rollup").splitlines()[1:]:
        name, number, _ = line.split()
        sizes[name.rstrip(":")] = int(number) * 1024
    return Held(sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])


@contextlib.contextmanager
def a_running_task(b):
    """While the block runs there is a task, and so a supervisor to look at."""
    with Framework(b("url"), "memory") as framework:
        framework.launch(command_task("memory", "exec sleep 10000"))
        framework.wait_for("memory", "TASK_RUNNING", 60)
        yield
