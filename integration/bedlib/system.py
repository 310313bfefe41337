"""Commands, processes and control groups of the machine that carries the bed."""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path


class BedError(Exception):
    """Something a person can read and act on; `bed` prints it and exits with 1."""


def run(*command, check=True, text=True, **options):
    """Runs a command quietly; when it fails, its own words are in the error."""
    done = subprocess.run([str(part) for part in command], stdin=options.pop("stdin", subprocess.DEVNULL),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=text, **options)
    if check and done.returncode != 0:
        words = " ".join(str(part) for part in command)
        raise BedError(f"`{words}` failed with status {done.returncode}:\n{done.stdout.strip()}")
    return done


def wait_until(what, condition, deadline, pause=0.02):
    """Polls `condition` until it returns something true; says what was waited for when the deadline (seconds) passes."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise BedError(f"{what}: not within {deadline} s")
        time.sleep(pause)


@contextlib.contextmanager
def locked(path):
    """Holds an exclusive lock on a file for the length of a `with` block; the kernel frees it if we die."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_alive(pid):
    """Zombies count as ended: whoever started them may take its time to reap."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def container_processes():
    """Yields (pid, machine name) of every systemd-nspawn on this machine, whoever started it."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        words = command_line(entry.name)
        if words and os.path.basename(words[0]) == "systemd-nspawn":
            for word in words:
                if word.startswith("--machine="):
                    yield int(entry.name), word.removeprefix("--machine=")


def is_booted_with_systemd():
    return Path("/run/systemd/system").is_dir()


# Each container gets a control group of its own. Without one, all containers of a machine whose PID 1 is not systemd
# would share the root group, and `systemctl kill` of a slice on one host would reach the same slice of the next.
CGROUP_ROOTS = [Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")]
CGROUP_PARENT = "fairlead-bed"


def cgroup_folders(name):
    for root in CGROUP_ROOTS:
        if (root / "cgroup.procs").exists():
            yield root / CGROUP_PARENT / name


def enter_cgroup(name):
    """Moves the calling process into the control group of that name, made when missing, in every writable hierarchy."""
    for folder in cgroup_folders(name):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "cgroup.procs").write_text("0", encoding="ascii")


def remove_cgroup(name):
    """Ends what is left in the control group and removes it with everything below."""
    for top in cgroup_folders(name):
        if not top.is_dir():
            continue
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                for pid in (Path(folder) / "cgroup.procs").read_text(encoding="ascii").split():
                    kill(int(pid))
            with contextlib.suppress(BedError):
                wait_until("control group to empty", lambda: _try_rmdir(folder), 5)
        _try_rmdir(top.parent)


def _try_rmdir(folder):
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def mounts_below(folder):
    """Mount points at or below a folder, deepest first."""
    prefix = str(folder)
    points = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
        for line in table:
            point = line.split()[4].encode().decode("unicode_escape")
            if point == prefix or point.startswith(prefix + "/"):
                points.append(point)
    return sorted(points, key=len, reverse=True)
