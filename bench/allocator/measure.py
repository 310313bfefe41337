"""The default allocation module: whole passes, single changes and memory by agents and frameworks, beside Apache Mesos.

`bench/run allocator` measures the corners, `allocator:all` every size, `allocator:kinds` what clusters have beside plain
agents (ports, reservations, labels, quotas, constraints, suppressed frameworks), `allocator:need` a role that is in need.
"""

import json
import subprocess

from benchlib import build, table

PASS_MS_MAX, CHANGE_US_MAX = 20, 50
TARGET = (10_000, 200)
CORNERS = [(1_000, 50), TARGET]
ALL = [(agents, frameworks) for agents in (1_000, 5_000, 10_000, 50_000) for frameworks in (1, 50, 200, 1_000)]
KINDS = ["ports", "reservations", "labels", "quotas", "constraints", "suppressed"]

# Milliseconds of Apache Mesos c1b42f79 on the same shapes, with 17 ranges of ports on each agent (Release build, another day,
# 2 virtual CPUs): its first rounds, that offer every agent, and the one in which everybody has refused everything; the middle
# of what was measured. None: not measured, or it did not finish in a minute.
MESOS = {(1_000, 1): (None, 9), (5_000, 1): (None, 89), (10_000, 1): (None, 107), (1_000, 50): (30, 435),
         (1_000, 200): (63, 2760), (5_000, 50): (379, None), (10_000, 50): (475, 4950)}
GROWTH_MAX = 2  # of a change, from 1,000 agents to 50,000


def run(program, agents, frameworks, *words):
    done = subprocess.run([program, "--agents", str(agents), "--frameworks", str(frameworks),
                           *[f"--{word}" for word in words]],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def change(figures):
    return f"{figures['p50_us']:.1f} / {figures['p99_us']:.1f}"


def cells(found):
    return [f"{found['pass_ms']:.1f}", found["offers"], change(found["ended"]), change(found["declined"]),
            change(found["revived"]), f"{found['bytes'] / 1024:.0f}"]


HEADS = ["pass ms", "offers", "ended us", "declined us", "revived us", "KiB"]


def slowest(figures, which="p50_us"):
    return max(figures[each][which] for each in ("ended", "declined", "revived"))


def measure_sizes(program, sizes):
    found = {size: run(program, *size) for size in sizes}
    rows = [[f"{agents:,} x {frameworks:,}", *cells(figures)] for (agents, frameworks), figures in found.items()]
    table.show("Agents x frameworks: whole pass, one change (p50 / p99), memory of the module", ["", *HEADS], rows)
    target = found[TARGET]
    print(f"\n  at {TARGET[0]:,} x {TARGET[1]}: pass at most {PASS_MS_MAX} ms "
          f"{table.verdict(target['pass_ms'] <= PASS_MS_MAX)}, change at most {CHANGE_US_MAX} us "
          f"{table.verdict(slowest(target) <= CHANGE_US_MAX)}")
    small, large = (found.get((agents, TARGET[1])) or run(program, agents, TARGET[1]) for agents in (1_000, 50_000))
    growth = slowest(large) / slowest(small)
    print(f"  with 50,000 agents instead of 1,000 the slowest change takes {growth:.1f} times as long, at most {GROWTH_MAX}: "
          f"{table.verdict(growth <= GROWTH_MAX)}")


def measure_beside_mesos(program, sizes):
    rows = []
    for size in sizes:
        found = run(program, *size, "ports", "refused")
        mesos = ["-" if one is None else one for one in MESOS[size]]
        rows.append([f"{size[0]:,} x {size[1]:,}", f"{found['pass_ms']:.1f}", mesos[0], f"{found['refused_pass_ms']:.1f}",
                     mesos[1], change(found["opened"]), f"{found['revived_alone_ms']:.1f}", found["revived_alone_offers"]])
    table.show("With ports, as Apache Mesos was measured: everybody is offered something, and everybody has refused everything",
               ["", "pass ms", "Mesos", "refused ms", "Mesos", "one agent us", "one revived ms", "its offers"], rows)
    print("  one framework that revives among those who refused everything is offered the whole cluster at once")


def measure_kinds(program):
    rows = [["plain", *cells(run(program, *TARGET))]]
    rows += [[kind, *cells(run(program, *TARGET, kind))] for kind in KINDS]
    table.show(f"{TARGET[0]:,} agents x {TARGET[1]} frameworks, by what else there is", ["", *HEADS], rows)


def measure_need(program):
    rows = []
    for size in [(1_000, 50), TARGET, (50_000, 1_000)]:
        found = run(program, *size, "need")
        rows.append([f"{size[0]:,} x {size[1]:,}", size[0] * 8, change(found["round"]), found["victims"],
                     change(found["between"])])
    table.show("A role below its guarantee while tasks use everything: choosing victims, once a second at most, and one change "
               "between (p50 / p99)", ["", "tasks", "round us", "victims", "change us"], rows)


def measure(word=""):
    program, = build.programs("fairlead-bench-allocator")
    if word not in ("kinds", "need"):
        measure_sizes(program, ALL if word == "all" else CORNERS)
        measure_beside_mesos(program, MESOS if word == "all" else [(1_000, 50), (10_000, 50)])
    if word in ("kinds", "all"):
        measure_kinds(program)
    if word in ("need", "all", ""):
        measure_need(program)
