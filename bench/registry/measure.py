"""Registry: what a cluster of 50,000 agents costs masters in ZooKeeper: to admit it, to start with it, to take it over.

Beside it one of 1,000. Each round has a real ZooKeeper server of its own. Seconds on the clock, and of the master's
processor time, as the server shares the machine.
"""

import json
import subprocess
import tempfile

from benchlib import build, table
from benchlib.zookeeper import zookeeper_server

AGENTS = (1_000, 50_000)
ROUNDS = 3
TAKE_OVER_SECONDS_MAX = 0.5  # of the five that a whole failover may take
# What the program calls it, and people.
STEPS = {
    "admit": "admit all",
    "start": "a master starts, and reads all",
    "take_over": "a standby takes over",
    "take_over_newcomers": "the same, with 1,000 agents more than it knew",
    "take_over_nothing_known": "the same, without having read ahead",
}


def measure():
    program, = build.programs("fairlead-bench-registry")
    for agents in AGENTS:
        rounds = [_one(program, agents) for _ in range(ROUNDS)]
        rows = []
        for step, name in STEPS.items():
            wall, cpu = (table.median([each[step][what] for each in rounds]) for what in ("wall_s", "cpu_s"))
            judged = ["", ""]
            if step == "take_over":
                judged = [f"<= {TAKE_OVER_SECONDS_MAX} s", table.verdict(wall <= TAKE_OVER_SECONDS_MAX)]
            rows.append([name, f"{wall:.3f} s", f"{cpu:.3f} s", *judged])
        table.show(f"{agents:,} agents in ZooKeeper, median of {ROUNDS} rounds",
                   ["", "time", "processor", "target", ""], rows)


def _one(program, agents):
    with tempfile.TemporaryDirectory() as folder, zookeeper_server(folder) as url:
        done = subprocess.run([program, "--zookeeper", url, "--agents", str(agents)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)
