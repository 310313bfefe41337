"""Faults: what is done to which part of a cluster, and what heals it."""

import dataclasses
import signal
import time

import judge
from bedlib import network

MASTER, AGENT, ZOOKEEPER = "fairlead-masterd.service", "fairlead-nodeagentd.service", "zookeeper.service"
SHORT, LONG = (1, 3), (8, 14)  # seconds; one is well below and the other above every timeout of the bed


@dataclasses.dataclass(frozen=True)
class Planned:
    kind: str
    seconds: float   # until it is healed
    draw: float      # 0 to 1, for choices that depend on the moment
    overlaps: bool   # the next one comes before this one is healed
    settle: bool     # the cluster is to be whole again before the next one comes
    pause: float     # before the next one

    def pick(self, choices):
        return choices[int(self.draw * len(choices))]


class World:
    """What faults act on: the hosts of a bed, who leads, and the schedulers."""

    def __init__(self, bed, cluster, schedulers):
        self.hosts = {host.name: host for host in bed.hosts()}
        self.cluster, self.schedulers = cluster, schedulers
        self.broken = set()  # hosts that are in a fault's hands

    def free(self, role):
        return [host for name, host in self.hosts.items() if name.startswith(role) and name not in self.broken]

    def master(self, fault):
        """Mostly the leader."""
        there = self.free("master")
        leader = [host for host in there if host.name == self.cluster.leader_by_any(host.name for host in there)]
        return leader[0] if leader and fault.draw < 0.7 else fault.pick(there)

    def agent(self, fault):
        return fault.pick(self.free("agent"))

    def zookeeper(self, fault):
        """Mostly the leader of the ensemble."""
        there = self.free("zk")
        leader = [host for host in there if is_ensemble_leader(host)]
        return leader[0] if leader and fault.draw < 0.7 else fault.pick(there)


def is_ensemble_leader(host):
    script = "/usr/share/zookeeper/bin/zkServer.sh status 2>&1 | grep Mode: || true"
    return "leader" in host.run("sh", "-c", script, check=False).stdout


class Inflicted:
    """A fault that is under way."""

    def __init__(self, planned, host_name):
        self.planned, self.host_name = planned, host_name
        self.record = judge.Fault(planned.kind, host_name, time.time())
        self.due = time.monotonic() + planned.seconds
        self.remedy = nothing

    def heal(self):
        self.remedy()
        self.record.until = time.time()


# Actions on a host; each gives what heals it


def nothing():
    pass


def kill(unit):
    def act(host, _):
        host.run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", unit)
        return nothing  # systemd starts it again
    return act


def restart(unit):
    def act(host, _):
        host.run("systemctl", "restart", "--no-block", unit)
        return nothing
    return act


def stop(unit):
    def act(host, _):
        host.run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", unit)
        return lambda: host.run("systemctl", "kill", "--signal=CONT", "--kill-whom=main", unit)
    return act


def cut(host, _):
    network.set_link(host.interface, up=False)
    return lambda: network.set_link(host.interface, up=True)


def mute(host, _):
    host.mute()
    return host.unmute


def deafen(host, _):
    host.deafen()
    return host.undeafen


def power(host, _):
    host.cut_power()

    def switch_on():
        host.start()
        host.wait_booted()
    return switch_on


def fill_disk(host, _):
    host.fill_disk()
    return host.free_disk


def fill_runtime_disk(host, _):
    """The tmpfs below /run that has the daemon's runtime directory."""
    host.run("sh", "-c", "cat /dev/zero >/run/fairlead/filler", check=False)
    return lambda: host.run("rm", "-f", "/run/fairlead/filler")


def kill_zookeeper(host, _):
    host.run("systemctl", "kill", "--signal=KILL", ZOOKEEPER)
    return lambda: host.run("systemctl", "restart", ZOOKEEPER)


def fill_zookeeper_disk(host, _):
    host.fill_disk()

    def free_and_start():
        host.free_disk()
        host.run("systemctl", "restart", ZOOKEEPER)  # it ends when it cannot write
    return free_and_start


RUNNING_TASKS = "systemctl list-units --plain --no-legend --state=running 'fairlead-*.scope'"
# Of the supervisors of the host the one whose control group is the scope's.
KILL_SUPERVISOR = 'for pid in $(pgrep -f "^[^ ]*/fairlead-supervisor"); do ' \
                  'grep -qF "/$0" /proc/$pid/cgroup && kill -KILL $pid && exit 0; done; exit 1'


def kill_supervisor(host, inflicted):
    """Of one task that runs just now; the processes of the task are not touched."""
    lines = host.run("sh", "-c", RUNNING_TASKS).stdout.splitlines()
    if not lines:
        return nothing
    scope, *_, = line = inflicted.planned.pick(lines).split()
    # Said before it is done: what becomes of the task may be told at once.
    inflicted.record.task = line[line.index("Task") + 1]
    if host.run("sh", "-c", KILL_SUPERVISOR, scope, check=False).returncode:
        inflicted.record.task = ""  # it has ended meanwhile
    return nothing


def kill_scheduler(world, inflicted):
    world.schedulers.signal(inflicted.planned.draw, signal.SIGKILL)
    return nothing  # who keeps the schedulers starts it again


def stop_scheduler(world, inflicted):
    process = world.schedulers.signal(inflicted.planned.draw, signal.SIGSTOP)
    return lambda: process.send_signal(signal.SIGCONT)


@dataclasses.dataclass(frozen=True)
class Kind:
    victim: object          # of World; none: the schedulers
    act: object
    seconds: tuple = (0, 0)


KINDS = {
    "master-kill": Kind(World.master, kill(MASTER)),
    "master-restart": Kind(World.master, restart(MASTER)),
    "master-stop": Kind(World.master, stop(MASTER), LONG),
    "master-stop-short": Kind(World.master, stop(MASTER), SHORT),
    "master-cut": Kind(World.master, cut, LONG),
    "master-cut-short": Kind(World.master, cut, SHORT),
    "master-mute": Kind(World.master, mute, LONG),
    "master-deaf": Kind(World.master, deafen, LONG),
    "master-power": Kind(World.master, power, SHORT),
    "master-disk-full": Kind(World.master, fill_disk, SHORT),
    "master-run-full": Kind(World.master, fill_runtime_disk, SHORT),
    "agent-kill": Kind(World.agent, kill(AGENT)),
    "agent-restart": Kind(World.agent, restart(AGENT)),
    "agent-stop": Kind(World.agent, stop(AGENT), LONG),
    "agent-stop-short": Kind(World.agent, stop(AGENT), SHORT),
    "agent-cut": Kind(World.agent, cut, LONG),
    "agent-cut-short": Kind(World.agent, cut, SHORT),
    "agent-mute": Kind(World.agent, mute, LONG),
    "agent-deaf": Kind(World.agent, deafen, LONG),
    "agent-power": Kind(World.agent, power, SHORT),
    "agent-power-long": Kind(World.agent, power, LONG),
    "agent-disk-full": Kind(World.agent, fill_disk, SHORT),
    "agent-run-full": Kind(World.agent, fill_runtime_disk, SHORT),
    "supervisor-kill": Kind(World.agent, kill_supervisor),
    "zk-kill": Kind(World.zookeeper, kill_zookeeper, SHORT),
    "zk-stop": Kind(World.zookeeper, stop(ZOOKEEPER), LONG),
    "zk-cut": Kind(World.zookeeper, cut, LONG),
    "zk-power": Kind(World.zookeeper, power, SHORT),
    "zk-disk-full": Kind(World.zookeeper, fill_zookeeper_disk, SHORT),
    "scheduler-kill": Kind(None, kill_scheduler),
    "scheduler-stop": Kind(None, stop_scheduler, SHORT),
}
# Each is in every run of this many faults or more.
CLASSES = [
    ("master-kill",), ("agent-kill",), ("supervisor-kill",), ("scheduler-kill", "scheduler-stop"),
    ("master-stop", "master-stop-short"), ("agent-stop", "agent-stop-short"),
    ("master-cut", "master-cut-short"), ("agent-cut", "agent-cut-short", "agent-mute", "agent-deaf"),
    ("master-mute", "master-deaf"), ("master-power", "zk-power"), ("agent-power", "agent-power-long"),
    ("zk-kill", "zk-stop", "zk-cut"), ("master-restart", "agent-restart"),
    ("master-disk-full", "master-run-full", "zk-disk-full"), ("agent-disk-full", "agent-run-full"),
]


def inflict(world, planned):
    """Does it now; none when everybody that it could hit is in another fault's hands."""
    kind = KINDS[planned.kind]
    try:
        victim = kind.victim(world, planned) if kind.victim else world
    except IndexError:
        return None
    host_name = victim.name if kind.victim else ""
    inflicted = Inflicted(planned, host_name)
    inflicted.remedy = kind.act(victim, inflicted)
    if host_name:
        world.broken.add(host_name)
    return inflicted
