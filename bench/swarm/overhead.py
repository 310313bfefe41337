"""E3 of the swarm: what a launch costs by the number of agents, and what a master needs for each agent and task."""

from benchlib import table

from . import cluster

FRAMEWORKS = 200
PROBES = 20
PROBE_SECONDS = 1
PAPER_SECONDS = {1000: 0.13, 5000: 0.17, 10_000: 0.23, 15_000: 0.27, 20_000: 0.38, 30_000: 0.39, 50_000: 0.75}
TARGET_MS = {10_000: 50, 50_000: 200, 100_000: 1000}
AGENT_KIB_MAX = 2
TASK_KIB_MAX = 1
TASKS_PER_SECOND_MIN = 10_000


def of(size, programs):
    """One measurement with so many agents and 200 frameworks that keep them busy."""
    wide = cluster.needs_wide(size)
    with cluster.folder() as folder:
        master = cluster.Master(programs, folder, "master1", wide=wide).start()
        load = None
        try:
            master.wait("leading")
            empty = master.memory_kib()
            load = cluster.Load(programs, [master], size, wide=wide)
            result = {"size": size, "joined_s": load.say("agents", 120)["seconds"]}
            load.say("run", 2)
            at_rest = master.memory_kib()
            with cluster.Usage(master=master.pid, load=load.pid) as rest:
                load.say("run", 5)
            load.say("frameworks", FRAMEWORKS, 60)
            load.say("run", 20 + size / 2000)  # until the first tasks have made room for uncut ones
            with cluster.Usage(master=master.pid, load=load.pid) as busy:
                result["steady"] = load.say("run", 20)
            with cluster.Usage(master=master.pid, load=load.pid) as probing:
                result["probe"] = load.say("probe", PROBES, PROBE_SECONDS)
            full = master.memory_kib()
            result["finish"] = load.say("finish", 120)
            result.update(rest=rest.share, busy=busy.share, probing=probing.share, rss_mib=full.resident / 1024,
                          agent_kib=_growth(empty, at_rest, size), task_kib=_growth(at_rest, full, _tasks_known(result)))
            return result
        finally:
            if load:
                load.end()
            master.end()


def _growth(before, after, number):
    """KiB for each of so many, as used and as resident."""
    return [(late - early) / number for early, late in zip(before, after)]


def _tasks_known(result):
    """Those that run, and the history: a thousand of each framework at most."""
    over = result["finish"]["asked"] - result["steady"]["open"]
    return result["steady"]["open"] + min(over, 1000 * FRAMEWORKS)


def fastest(programs, agents=2000, slots=16):
    """Tasks that end as soon as they have started: as many a second as go through."""
    with cluster.folder() as folder:
        master = cluster.Master(programs, folder, "master1").start()
        load = None
        try:
            master.wait("leading")
            load = cluster.Load(programs, [master], agents, "--slots", str(slots))
            load.say("agents", 60)
            load.say("length", 0, 0)
            load.say("frameworks", FRAMEWORKS, 60)
            load.say("run", 5)
            with cluster.Usage(master=master.pid, load=load.pid) as usage:
                result = load.say("run", 20)
            result["finish"] = load.say("finish", 60)
            result["usage"] = usage.share
            return result
        finally:
            if load:
                load.end()
            master.end()


def show(results):
    rows = []
    for one in results:
        size, probe = one["size"], one["probe"]["to_running"]
        target = TARGET_MS.get(size)
        paper = PAPER_SECONDS.get(size)
        rows.append([f"{size:,} agents", f"{probe['p50_ms']:.1f} ms", f"{probe['p99_ms']:.1f} ms",
                     f"{one['probe']['overhead']['p50_ms']:.1f} ms", f"{paper * 1000:.0f} ms" if paper else "",
                     f"<= {target} ms" if target else "", table.verdict(probe["p50_ms"] <= target) if target else "",
                     f"{one['steady']['launched_per_second']:.0f}/s", f"{one['steady']['messages_per_second']:.0f}/s"])
    table.show(f"Launch overhead of a probe among {FRAMEWORKS} busy frameworks, {PROBES} probes: from ready to RUNNING heard, and to"
               " the end without the task's length (as the paper's mean of 5)",
               ["", "RUNNING p50", "p99", "end p50", "paper", "target", "", "launches", "agents' messages"], rows)
    rows = []
    for one in results:
        busy, rest = one["busy"], one["rest"]
        rows.append([f"{one['size']:,} agents", f"{one['joined_s']:.1f} s", f"{rest['master']:.2f}", f"{busy['master']:.2f}",
                     f"{busy['load']:.2f}", f"{busy['others']:.2f}", _kib(one["agent_kib"]),
                     table.verdict(max(one["agent_kib"]) <= AGENT_KIB_MAX), _kib(one["task_kib"]),
                     table.verdict(max(one["task_kib"]) <= TASK_KIB_MAX), f"{one['rss_mib']:.0f} MiB", _lost(one["finish"])])
    table.show("What it took: cores of the master at rest and busy, of the load, of everything else on this machine; memory of the"
               " master, used and resident, for an agent with its connection (target 2 KiB) and a task (1 KiB)",
               ["", "joined in", "rest", "busy", "load", "others", "an agent", "", "a task", "", "RSS", "lost or doubled"], rows)


def _kib(sizes):
    return " / ".join(f"{size:.2f}" for size in sizes) + " KiB"


def show_fastest(result):
    rate, usage = result["over_per_second"], result["usage"]
    table.show("Tasks that end at once, 2,000 agents of 16 cpus, 200 frameworks: as many as go through",
               ["", "", "master", "load", "others", "RUNNING p50", "target", "", "lost or doubled"],
               [["tasks", f"{rate:.0f}/s", f"{usage['master']:.2f}", f"{usage['load']:.2f}", f"{usage['others']:.2f}",
                 f"{result['launch_to_running']['p50_ms']:.1f} ms", f">= {TASKS_PER_SECOND_MIN}/s",
                 table.verdict(rate >= TASKS_PER_SECOND_MIN), _lost(result["finish"])]])


def _lost(finish):
    wrong = finish["doubled"] + finish["lost"] + finish["forgotten"] + finish["unasked"]
    return "0" if wrong == 0 and finish["settled"] else f"{wrong}: {finish['example'] or 'not settled'}"
