"""Launch on one host: from task message in to RUNNING out, beside the bare cost of a scope in the same run.

On one booted host: the floor program and the real agent, in turns, each in every round. The master's end of the agent's
link is a load program on the same host, so that neither a network nor a master nor a framework is in the figures. The
sandboxes are in memory: how fast a file system makes files next to the compilers that use it is no property of ours.
"""

import json

from benchlib import build, table
from bedlib.testing import bed

ROUNDS = 3
RATIO_MAX = 2.0
TASKS_PER_SECOND_MIN = 500
AGENT = "fairlead-nodeagentd.service"
CONFIGURATION = "[Agent]\\nMaster=http://127.0.0.1:5055\\nResources=cpus:1000;mem:1000000\\n"


def measure():
    build.packages()
    floor, launch = build.programs("fairlead-bench-floor", "fairlead-bench-launch")
    with bed("bench-launch", "--masters", "0", "--agents", "1") as b:
        for program in (floor, launch):
            b("push", "agent1", str(program), f"/usr/local/bin/{program.name}")
        b.on("agent1", f"mkdir -p /etc/fairlead/nodeagentd.conf.d && printf '{CONFIGURATION}' "
                       f">/etc/fairlead/nodeagentd.conf.d/60-bench.conf && systemctl stop {AGENT} && "
                       "mount -t tmpfs none /var/lib/fairlead/agent")
        rounds = [(_floor(b, floor.name), _ours(b, launch.name)) for _ in range(ROUNDS)]
    _show(*zip(*rounds))


def _floor(b, program):
    return json.loads(b.on("agent1", program))


def _ours(b, program):
    return json.loads(b.on("agent1", f"{program} & load=$!; systemctl start {AGENT}; wait $load && systemctl stop {AGENT}"))


def _show(floors, ours):
    def figure(rounds, *keys):
        def one(value):
            for key in keys:
                value = value[key]
            return value
        return table.median([one(each) for each in rounds])

    rows = []
    for name, of_floor, of_ours in (("scope ready / RUNNING", "scope_ready", "running"),
                                    ("start to exit / FINISHED", "start_to_exit", "finished")):
        for percentile in ("p50_ms", "p99_ms"):
            bare, full = figure(floors, of_floor, percentile), figure(ours, of_ours, percentile)
            held = name.startswith("scope") and percentile == "p50_ms"
            rows.append([f"{name}, {percentile[:3]}", f"{bare:.2f} ms", f"{full:.2f} ms", f"{full / bare:.2f}",
                         f"<= {RATIO_MAX:g}" if held else "", table.verdict(full <= RATIO_MAX * bare) if held else ""])
    table.show(f"One task after another, /bin/true, median of {ROUNDS} rounds", ["", "floor", "fairlead", "ratio", "target", ""],
               rows)
    rates = [
        ["at once: scopes ready / RUNNING", figure(floors, "scopes_per_second"), figure(ours, "crowd", "running_per_second"),
         None],
        ["at once: start to exit / FINISHED", figure(floors, "started_and_ended_per_second"),
         figure(ours, "crowd", "finished_per_second"), None],
        ["stream, 64 at a time: RUNNING", None, figure(ours, "stream", "running_per_second"), None],
        ["stream, 64 at a time: FINISHED", None, figure(ours, "stream", "finished_per_second"), TASKS_PER_SECOND_MIN],
    ]
    table.show("Tasks a second on one host", ["", "floor", "fairlead", "target", ""],
               [[name, f"{bare:.0f}/s" if bare else "", f"{full:.0f}/s", f">= {least}" if least else "",
                 table.verdict(full >= least) if least else ""] for name, bare, full, least in rates])
