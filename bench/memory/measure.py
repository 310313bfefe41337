"""Memory at rest: supervisor, master, agent, with one agent and one running task.

From /proc/PID/smaps_rollup on a booted bed with the packages. The same targets are held by integration/TEST-45-MEMORY.
"""

from benchlib import build, table
from bedlib import memory
from bedlib.testing import bed


def measure():
    build.packages()
    with bed("bench-memory", "--agents", "1") as b, memory.a_running_task(b):
        held = {target: memory.held_by(b, target.host, target.program) for target in memory.TARGETS}
    rows = []
    for target, size in held.items():
        limit = f"<= {target.bytes_max >> 20} MiB" if target.bytes_max else ""
        rows.append([target.program, *[f"{value / memory.MIB:.2f} MiB" for value in size], limit,
                     table.verdict(size.resident <= target.bytes_max) if target.bytes_max else ""])
    table.show("Memory with one agent and one running task",
               ["", "resident", "proportional", "private", "target (resident)", ""], rows)
