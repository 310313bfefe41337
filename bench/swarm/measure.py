"""Thousands of simulated agents and 200 frameworks around the real master: launch overhead (Mesos paper 6.5), failover (6.6).

The agents speak the real link over sockets of their own; frameworks are on the sdk; master, ZooKeeper and load share this
machine, and the tables say what each took of it.
"""

import json
import sys

from benchlib import build
from bedlib.system import BedError

from swarm import cluster, failover, overhead

SHORT = {"overhead": [1000, 10_000], "failover": {200: 3, 4000: 3}}
ALL = {"overhead": [1000, 10_000, 50_000, 100_000], "failover": {200: 10, 4000: 10, 50_000: 5}}
SPARE_DESCRIPTORS = 1000  # of the master: frameworks' streams and calls, its files


def measure(word=""):
    """`all` is everything; `overhead:N`, `fastest` and `failover:N:TIMES` are one part of it."""
    room = cluster.descriptors_max() - SPARE_DESCRIPTORS
    programs = build.programs("fairlead-masterd", "fairlead-bench-swarm")
    part, *numbers = word.split(":") if word else [""]
    if part == "fastest":
        return overhead.show_fastest(_said(overhead.fastest(*programs)))
    if part == "overhead":
        return overhead.show([_said(overhead.of(int(numbers[0]), *programs))])
    if part == "failover":
        return failover.show([_said(failover.of(int(numbers[0]), int(numbers[1]), *programs))])
    if part not in ("", "all"):
        raise BedError(f"swarm has no part {part}: all, fastest, overhead:AGENTS, failover:AGENTS:TIMES")
    sizes = ALL if part else SHORT
    overhead.show([_said(overhead.of(size, *programs)) for size in _that_fit(sizes["overhead"], room)])
    overhead.show_fastest(_said(overhead.fastest(*programs)))
    times = sizes["failover"]
    failover.show([_said(failover.of(size, times.get(size, min(times.values())), *programs))
                   for size in _that_fit(list(times), room)])


def _said(result):
    """Every figure also goes out as it is, for whoever wants to look again."""
    print(json.dumps(result), file=sys.stderr, flush=True)
    return result


def _that_fit(sizes, room):
    """What is larger than a process may have descriptors here is measured at that size instead, and said to be."""
    fitting = [size for size in sizes if size <= room]
    if len(fitting) < len(sizes):
        largest = room // 1000 * 1000
        print(f"\nA process may have {room + SPARE_DESCRIPTORS} open files here (ulimit -Hn), and each agent needs one in the"
              f" master: {largest:,} agents are measured in place of {', '.join(f'{size:,}' for size in sizes if size > room)}.")
        fitting.append(largest)
    return fitting
