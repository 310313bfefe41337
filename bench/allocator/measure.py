"""The default allocation module: whole passes, single changes and memory by agents and frameworks, beside Mesos' figures.

`bench/run allocator` measures the corners, `allocator:all` every size, `allocator:kinds` what clusters have beside plain
agents (ports, reservations, labels, quotas, constraints, suppressed frameworks, agents that everybody has refused).
"""

import json
import subprocess

from benchlib import build, table

PASS_MS_MAX, CHANGE_US_MAX = 20, 50
TARGET = (10_000, 200)
CORNERS = [(1_000, 50), TARGET]
ALL = [(agents, frameworks) for agents in (1_000, 5_000, 10_000, 50_000) for frameworks in (1, 50, 200, 1_000)]
KINDS = ["ports", "reservations", "labels", "quotas", "constraints", "suppressed"]

# Milliseconds of Apache Mesos c1b42f79 (Release build, another day, 2 virtual CPUs) for a pass that offers every agent and for
# one in which everybody has refused everything; mean of what was measured. Where there is none it did not finish in a minute.
MESOS_PASS = {(1_000, 1): 9, (1_000, 50): 33, (1_000, 200): 65, (5_000, 50): 437, (10_000, 50): 458, (10_000, 1_000): 422}
MESOS_REFUSED_PASS = {(1_000, 50): 435, (1_000, 200): 2760, (10_000, 50): 4950}


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


def measure_sizes(program, sizes):
    rows, target = [], None
    for size in sizes:
        found = run(program, *size)
        rows.append([f"{size[0]:,} x {size[1]:,}", *cells(found), MESOS_PASS.get(size, "-")])
        target = found if size == TARGET else target
    table.show("Agents x frameworks: whole pass, one change (p50 / p99), memory of the module",
               ["", *HEADS, "Mesos pass ms"], rows)
    worst = max(target[each]["p50_us"] for each in ("ended", "declined", "revived"))
    print(f"\n  at {TARGET[0]:,} x {TARGET[1]}: pass at most {PASS_MS_MAX} ms "
          f"{table.verdict(target['pass_ms'] <= PASS_MS_MAX)}, change at most {CHANGE_US_MAX} us "
          f"{table.verdict(worst <= CHANGE_US_MAX)}")


def measure_kinds(program):
    rows = [["plain", *cells(run(program, *TARGET))]]
    rows += [[kind, *cells(run(program, *TARGET, kind))] for kind in KINDS]
    table.show(f"{TARGET[0]:,} agents x {TARGET[1]} frameworks, by what else there is", ["", *HEADS], rows)
    rows = []
    for size in [(1_000, 50), (1_000, 200), (10_000, 50)]:
        found = run(program, *size, "refused")
        rows.append([f"{size[0]:,} x {size[1]:,}", f"{found['refused_pass_ms']:.1f}", MESOS_REFUSED_PASS[size],
                     change(found["opened"]), f"{found['revived_alone_ms']:.1f}", found["revived_alone_offers"]])
    table.show("Everybody has refused every agent", ["", "whole pass ms", "Mesos ms", "one agent us", "one revived ms",
                                                    "its offers"], rows)


def measure(word=""):
    program, = build.programs("fairlead-bench-allocator")
    if word != "kinds":
        measure_sizes(program, ALL if word == "all" else CORNERS)
    if word in ("kinds", "all"):
        measure_kinds(program)
