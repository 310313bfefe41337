"""Thousands of simulated agents and 200 frameworks around the real master: launch overhead (Mesos paper 6.5), failover (6.6).

The agents speak the real link over sockets of their own; frameworks are on the sdk; master, ZooKeeper and load share this
machine, and the tables say what each took of it. Where a process may not have as many open files as agents are wanted, the
master is the wide one (wide_server.hpp), which is said in the title.
"""

import json
import sys

from benchlib import build
from bedlib.system import BedError

from swarm import cluster, failover, overhead

SHORT = {"overhead": [1000, 10_000], "failover": [(200, 3, True), (4000, 3, True), (4000, 3, False)]}
ALL = {"overhead": [1000, 10_000, 50_000, 100_000],
       "failover": [(size, 10, waiting) for waiting in (True, False) for size in (200, 4000, 50_000)]}
NO_WAITING_LINKS = "no-waiting-links"


def measure(word=""):
    """`all` is everything; `overhead:AGENTS`, `fastest`, `failover:AGENTS:TIMES` are a part of it; the last with
    `:no-waiting-links` where no agent has a link that waits with the next master."""
    part, *numbers = word.split(":") if word else [""]
    if part not in ("", "all", "fastest", "overhead", "failover"):
        raise BedError(f"swarm has no part {part}: all, fastest, overhead:AGENTS,"
                       f" failover:AGENTS:TIMES[:{NO_WAITING_LINKS}]")
    programs = cluster.Programs(*build.programs("fairlead-masterd", "fairlead-bench-swarm", "fairlead-bench-wide-masterd"))
    sizes = ALL if part == "all" else SHORT
    if part == "overhead":
        sizes = {"overhead": [int(numbers[0])], "failover": []}
    if part == "failover":
        agents, times, *more = numbers
        if more not in ([], [NO_WAITING_LINKS]):
            raise BedError(f"failover has no variant {':'.join(more)}: {NO_WAITING_LINKS}")
        sizes = {"overhead": [], "failover": [(int(agents), int(times), not more)]}
    if part in ("", "all", "overhead"):
        overhead.show([_said(overhead.of(size, programs)) for size in sizes["overhead"]])
    if part in ("", "all", "fastest"):
        overhead.show_fastest(_said(overhead.fastest(programs)))
    if part in ("", "all", "failover"):
        failover.show([_said(failover.of(size, times, programs, waiting))
                       for size, times, waiting in sizes["failover"]])


def _said(result):
    """Every figure also goes out as it is, for whoever wants to look again."""
    print(json.dumps(result), file=sys.stderr, flush=True)
    return result
