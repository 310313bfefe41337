"""What the swarm's experiments run on: masters and a ZooKeeper on this machine's loopback, the load, and what each takes."""

import contextlib
import itertools
import json
import os
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from bedlib.system import BedError, wait_until

TICKS = os.sysconf("SC_CLK_TCK")
SESSION_SECONDS = 2
DOORS = 6  # of a wide master, see wide_server.hpp
SPARE_DESCRIPTORS = 1000  # of a master: frameworks' streams and calls, its files


class Memory(NamedTuple):
    used: float
    resident: float


class Programs(NamedTuple):
    master: Path
    load: Path
    wide_master: Path


_tens = itertools.cycle(range(20_000 + os.getpid() % 1000 * 10, 32_000, 10))


def free_ports(count=1):
    """The first of so many in a row (ten at most), below those that connections are given."""
    for first in itertools.islice(_tens, 1000):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise BedError("no free ports")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_busy_seconds():
    """Of all cores, since the machine's start: what was not idle."""
    fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICKS


class Usage:
    """Seconds of each process, and shares of one core, also of everything else on the machine, over a `with` block."""

    def __init__(self, **pids):
        self.pids = pids

    def _read(self):
        return time.monotonic(), machine_busy_seconds(), {name: cpu_seconds(pid) for name, pid in self.pids.items()}

    def __enter__(self):
        self.start = self._read()
        return self

    def __exit__(self, *_):
        start, end = self.start, self._read()
        took = end[0] - start[0]
        self.seconds = {name: end[2][name] - start[2][name] for name in self.pids}
        self.share = {name: seconds / took for name, seconds in self.seconds.items()}
        self.share["others"] = (end[1] - start[1]) / took - sum(self.share.values())


class Master:
    """A real fairlead-masterd, with a runtime directory as systemd gives it one."""

    def __init__(self, programs, folder, name, zookeeper=None, wide=False):
        self.program, self.name = programs.wide_master if wide else programs.master, name
        self.folder = Path(folder, name)
        self.folder.mkdir()
        self.port = free_ports(1 + DOORS if wide else 1)
        self.address = f"127.0.0.1:{self.port}"
        registry = Path(folder, "registry.sqlite")  # of all masters of the cluster
        lines = ["[Master]", f"Listen={self.address}", "Hostname=127.0.0.1", f"Registry={registry}"]
        if zookeeper:
            lines += [f"ZooKeeper={zookeeper}", f"ZooKeeperSessionTimeout={SESSION_SECONDS}s"]
        self.file = self.folder / "masterd.conf"
        self.file.write_text("\n".join(lines) + "\n", encoding="ascii")
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def _environment(self):
        return dict(os.environ, RUNTIME_DIRECTORY=str(self.folder))

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([self.program, "--config", self.file], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self._environment())
        return self

    def health(self):
        """'leading', 'standby' ...; None while it does not answer."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.address}/health", timeout=2) as answer:
                return answer.read().decode().strip()
        except urllib.error.HTTPError as answer:
            return answer.read().decode().strip()
        except OSError:
            return None

    def memory_kib(self):
        """What it uses, and what the kernel keeps for it."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{self.address}/metrics/snapshot", timeout=30) as answer:
            metrics = json.load(answer)
        return Memory(*(metrics[f"master/memory_{which}_bytes"] / 1024 for which in ("allocated", "resident")))

    def wait(self, *words, deadline=30):
        def is_so():
            if self.process.poll() is not None:
                raise BedError(f"{self.name} has ended: {self.last_words()}")
            return (self.health() or "").startswith(words)
        wait_until(f"{self.name} to be {' or '.join(words)}", is_so, deadline)

    def last_words(self):
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-5:])

    def signal(self, number):
        self.process.send_signal(number)

    def close_session(self):
        """What systemd runs when the unit has ended (ExecStopPost)."""
        subprocess.run([self.program, "--close-session"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=self._environment(), check=False)

    def end(self):
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None


class FirstSign(threading.Thread):
    """Looks every few ms whether a master leads, and notes after how many ms it does."""

    def __init__(self, master):
        super().__init__(daemon=True)
        self.master, self.begin, self.ms = master, time.monotonic(), None
        self.start()

    def run(self):
        while self.master.health() != "leading":
            time.sleep(0.005)
        self.ms = (time.monotonic() - self.begin) * 1000


class Load:
    """The swarm's program; `say` sends it a line and gives its answer."""

    def __init__(self, programs, masters, agents, *options, wide=False):
        words = [programs.load, "--agents", str(agents), *(["--doors", str(DOORS)] if wide else []), *options]
        for master in masters:
            words += ["--master", master.address]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self):
        return self.process.pid

    def say(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise BedError(f"the load has ended at `{' '.join(str(word) for word in words)}`; its words are above")
        return json.loads(answer)

    def end(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="fairlead-swarm-") as path:
        yield path


def needs_wide(agents):
    """Each agent needs an open file in each master, for the link that serves in one and waits in the other, and a process
    may have fewer than that on this machine."""
    return agents > open_files_max() - SPARE_DESCRIPTORS


def open_files_max():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1 << 19  # what the unit asks for
    for limit in (wanted, hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            soft = limit
            break
    return soft
