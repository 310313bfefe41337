"""E4 of the swarm: a leader goes; how soon the next one launches, and has everybody back; what of the tasks has come of it."""

import signal
import sys
import time

from benchlib import table
from benchlib.zookeeper import zookeeper_server

from . import cluster

FRAMEWORKS = 200
TASK_SECONDS = 20
# Without it all tasks would end in step after the first outage, and no slot would come free for the next launch.
DEVIATION_SECONDS = 7
PAPER = "4-8 s"  # Mesos, NSDI 2011, 6.6: until all are connected again
# The next launch of slurmctld 22.05 on a machine like this: after a restart; on its backup with the smallest timeout it takes, 3 s.
SLURM = {"planned": "6.1 s", "killed": "4.2 s"}
# Until every agent has a link that waits: the next ping, the pause that agents make then, and the link.
WAITING_LINKS_WITHIN_SECONDS = 90


def killed_and_closed(leader):
    leader.signal(signal.SIGKILL)
    leader.process.wait()
    leader.close_session()


def killed(leader):
    leader.signal(signal.SIGKILL)


def hung(leader):
    leader.signal(signal.SIGSTOP)


def planned(leader):
    leader.signal(signal.SIGTERM)


KINDS = {"killed, session closed": killed_and_closed, "killed": killed, "hung": hung, "planned": planned}


def of(size, times, programs, waiting_links=True, kinds=tuple(KINDS)):
    """So many faults of each kind, one after another, in one cluster; and what the tasks have seen of it.

    Without waiting links agents do what those do whose master knows of nobody to lead next.
    """
    wide = cluster.needs_wide(size)
    with cluster.folder() as folder, zookeeper_server(folder) as zookeeper:
        masters = [cluster.Master(programs, folder, f"master{i}", zookeeper, wide) for i in (1, 2)]
        load = None
        try:
            masters[0].start().wait("leading")
            masters[1].start().wait("standby")
            load = cluster.Load(programs, masters, size, "--zookeeper", zookeeper,
                                *([] if waiting_links else ["--no-waiting-links"]), wide=wide)
            load.say("agents", 120)
            load.say("length", TASK_SECONDS, DEVIATION_SECONDS)
            load.say("frameworks", FRAMEWORKS, 60)
            load.say("run", 20 + size / 2000)
            results = {kind: [] for kind in kinds}
            for _ in range(times):
                for kind in kinds:
                    results[kind].append(_one(kind, masters, load, size if waiting_links else 0))
                    print(f"{size} agents, {kind}: {results[kind][-1]}", file=sys.stderr, flush=True)
                    load.say("run", 3 + size / 5000)
            return {"size": size, "waiting_links": waiting_links, "times": results, "finish": load.say("finish", 120)}
        finally:
            if load:
                load.end()
            for master in masters:
                master.end()


def _one(kind, masters, load, waiting_links):
    leader, other = masters if masters[0].health() == "leading" else reversed(masters)
    ready = _await_waiting_links(load, waiting_links)
    load.say("watch", time.monotonic_ns())
    with cluster.Usage(master=other.pid, load=load.pid) as usage:
        leads = cluster.FirstSign(other)
        since = time.monotonic_ns()
        KINDS[kind](leader)
        result = load.say("back", since, 120)
    leads.join()
    result.update(leads_ms=leads.ms, cpu_s=usage.seconds, waiting_links=ready["waiting_links"],
                  waited_s=ready["seconds"])
    if kind == "hung":
        leader.signal(signal.SIGCONT)
        leader.wait("standby")
    else:
        leader.process.wait()
        leader.start().wait("standby")
    other.wait("leading")
    return result


def _await_waiting_links(load, wanted):
    """Answers what there is, and says so where it is less than what was wanted: the fault is made all the same."""
    ready = load.say("waiting", WAITING_LINKS_WITHIN_SECONDS if wanted else 0)
    if ready["waiting_links"] < wanted:
        print(f"ONLY {ready['waiting_links']} OF {wanted} AGENTS have a link that waits with the next master after"
              f" {WAITING_LINKS_WITHIN_SECONDS} s: the others will dial", file=sys.stderr, flush=True)
    return ready


def _target_s(kind, size):
    if kind == "planned":
        return 0.3
    back = 2 if size <= 4000 else 5
    return back if kind == "killed, session closed" else cluster.SESSION_SECONDS + back  # which has to end first


def show(all_results):
    rows = []
    for one in all_results:
        for kind, results in one["times"].items():
            whole = sorted(max(each["agents_ms"], each["frameworks_ms"]) for each in results)
            target = _target_s(kind, one["size"])
            figures = [_of([each[what] for each in results])
                       for what in ("leads_ms", "launch_ms", "agents_ms", "frameworks_ms")]
            took = [f"{table.median(sorted(each['cpu_s'][who] for each in results)):.2f} s" for who in ("master", "load")]
            rows.append([f"{_name(one)}, {kind}", len(results), _links(one, results), *figures, _of(whole), *took,
                         PAPER if one["size"] <= 4000 else "", SLURM.get(kind, ""), f"<= {target} s", table.verdict(table.median(whole) <= target * 1000)])
    table.show("From the fault until another master leads, launches the next task, and has all agents and all frameworks back; median"
               " and p99. Agents that had a waiting link at the fault, and that came back on it, the least of all n. CPU time that"
               " this master and the load took meanwhile. Slurm: its next launch"
               f" ({FRAMEWORKS} frameworks, tasks of {TASK_SECONDS} +- {DEVIATION_SECONDS} s, session timeout {cluster.SESSION_SECONDS} s)",
               ["", "n", "waiting links", "leads", "next launch", "agents", "frameworks", "everybody", "master", "load", "paper", "Slurm", "target", ""], rows)
    table.show("Tasks over all of it", ["", "asked for", "ran once", "turned away", "doubled", "lost", "forgotten", "repeated", ""],
               [[_name(one), end["asked"], end["ran"], end["turned_away"], end["doubled"], end["lost"],
                 end["forgotten"], end["resent"],
                 table.verdict(end["settled"] and end["doubled"] + end["lost"] + end["forgotten"] + end["unasked"] == 0)]
                for one in all_results for end in [one["finish"]]])


def _name(one):
    return f"{one['size']:,} agents" + ("" if one["waiting_links"] else " that dial")


def _links(one, results):
    if not one["waiting_links"]:
        return "none"
    had, used = (min(each[what] for each in results) for what in ("waiting_links", "on_waiting_links"))
    return f"{had:,}, {used:,} used" + (" MISSED" if had < one["size"] else "")


def _of(values_ms):
    ordered = sorted(values_ms)
    return f"{table.median(ordered) / 1000:.2f} / {ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))] / 1000:.2f} s"
