"""One host of a bed: a booted systemd-nspawn container with a disk, a network link and a power switch.

The disk is an overlay that the bed mounts itself, over a root tree that all hosts share: unlike nspawn's own volatile
overlay it is still there after a power cut.
"""

import concurrent.futures
import contextlib
import os
import signal
import subprocess
import uuid
from pathlib import Path

from . import network, system
from .system import BedError, run, wait_until

BOOT_DEADLINE = 90

# What the daemons of a host keep; on a small disk of its own where the bed was made with one.
FILLER = "filler"
STATE_FOLDERS = {"master": "var/lib/fairlead", "agent": "var/lib/fairlead", "zk": "var/lib/zookeeper"}

# The address is set by the host's own first unit, so that it is there before any daemon binds or connects.
NETWORK_UNIT = """\
[Unit]
Description=Address of this test host
DefaultDependencies=no
Before=network-pre.target network.target network-online.target sysinit.target
Wants=network-pre.target network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/ip link set host0 up
ExecStart=/sbin/ip addr replace {address}/24 dev host0

[Install]
WantedBy=sysinit.target network-online.target
"""


class Host:
    def __init__(self, bed, name, tree):
        self.name = name
        self.tag = bed.tag
        self.tree = Path(tree)
        self.folder = bed.folder / "hosts" / name
        self.disk = self.folder / "disk"
        self.console = self.folder / "console.log"
        self.state_disk_mb = bed.state_disk_mb
        self.state_folder = self.disk / STATE_FOLDERS[name.rstrip("0123456789")]
        self.machine = f"fl-{bed.tag}-{name}"
        self.address = network.address(bed.subnet, name)
        self.bridge_address = network.bridge_address(bed.subnet)
        self.interface = network.interface(bed.tag, name)
        self.neighbours = {other: network.address(bed.subnet, other) for other in bed.host_names}

    # Disk

    def make_disk(self):
        for part in ("upper", "work", "disk"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        if not self.disk.is_mount():
            layers = f"lowerdir={self.tree},upperdir={self.folder}/upper,workdir={self.folder}/work"
            run("mount", "-t", "overlay", "overlay", "-o", layers, self.disk)
        if self.state_disk_mb:
            self._mount_state_disk()
        self.write("etc/hostname", self.name + "\n")
        lines = [f"{address} {name}" for name, address in self.neighbours.items()]
        self.write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" + "\n".join(lines) + "\n")
        if not (self.disk / "etc/machine-id").read_text(encoding="ascii").strip():
            self.write("etc/machine-id", uuid.uuid4().hex + "\n")
        self.write("etc/systemd/system/bed-network.service", NETWORK_UNIT.format(address=self.address))
        for target in ("sysinit.target", "network-online.target"):
            link = self.disk / f"etc/systemd/system/{target}.wants/bed-network.service"
            link.parent.mkdir(exist_ok=True)
            if not link.is_symlink():
                link.symlink_to("../bed-network.service")

    def _mount_state_disk(self):
        # Mounted by this machine and not by the host: what is on it outlives a power cut, as on the big one.
        target = self.state_folder
        if target.is_mount():
            return
        small = self.folder / "state"
        for folder in (small, target):
            folder.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={self.state_disk_mb}m,mode=755", "tmpfs", small)
        run("cp", "-a", f"{target}/.", small)
        run("mount", "--bind", small, target)

    def fill_disk(self):
        """Leaves no byte free on the small disk."""
        with open(self.state_folder / FILLER, "ab", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def free_disk(self):
        (self.state_folder / FILLER).unlink(missing_ok=True)

    def put_state_on_image(self, size_mb):
        """Gives what the daemons keep a file system of its own, which can stall; while the host is off. It stays for as
        long as the bed does, and ends with it."""
        image = self.folder / "state.img"
        run("truncate", "-s", f"{size_mb}M", image)
        run("mkfs.ext4", "-q", "-m", "0", image)
        self.state_folder.mkdir(parents=True, exist_ok=True)
        self._mount_image(self.folder / "state")
        run("cp", "-a", f"{self.state_folder}/.", self.folder / "state")
        run("umount", self.folder / "state")
        self._mount_image(self.state_folder)

    def _mount_image(self, folder):
        folder.mkdir(exist_ok=True)
        run("mount", "-o", "loop", self.folder / "state.img", folder)

    def stall_disk(self):
        """Whoever writes to the image from now on waits, and no signal ends the wait. What was written is on it."""
        run("fsfreeze", "--freeze", self.state_folder)

    def resume_disk(self):
        """Also of one that is not stalled."""
        run("fsfreeze", "--unfreeze", self.state_folder, check=False)

    def cut_power_while_stalled(self):
        """The disk is then as it was when it stalled, whatever was waiting to be written."""
        run("cp", "--sparse=always", self.folder / "state.img", self.folder / "cut.img")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            cutting = pool.submit(self.cut_power)
            wait_until(f"{self.name} to be off", lambda: not self._runs_commands(), 10)
            self.resume_disk()
            cutting.result()
        run("umount", self.state_folder)
        (self.folder / "cut.img").replace(self.folder / "state.img")
        self._mount_image(self.state_folder)

    def _runs_commands(self):
        return self.init_pid() is not None and self.run("true", check=False).returncode == 0

    def write(self, path, text):
        """Puts a file on the disk of a host; seen by a running host too."""
        target = self.place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def place(self, path):
        """Where a path of the host is on this machine. Absolute links on the disk mean the host's root, not ours."""
        rest, place = [part for part in str(path).split("/") if part not in ("", ".")], self.disk
        for _ in range(200):
            if not rest:
                return place
            part = rest.pop(0)
            if part == "..":
                place = place.parent if place != self.disk else place
            elif (place / part).is_symlink():
                link = os.readlink(place / part)
                place = self.disk if link.startswith("/") else place
                rest = [each for each in link.split("/") if each not in ("", ".")] + rest
            else:
                place = place / part
        raise BedError(f"{self.name}: too many links in {path}")

    # Power

    def start(self):
        """Switches the host on; `wait_booted` tells when it is ready."""
        if self.container_pids():
            raise BedError(f"{self.name} is running already")
        system.remove_cgroup(self.machine)
        self.make_disk()
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe",
                   f"--directory={self.disk}", f"--machine={self.machine}", f"--hostname={self.name}",
                   f"--network-veth-extra={self.interface}:host0",
                   "--resolv-conf=off", "--timezone=off", "--link-journal=no"]
        entry = None
        if system.is_booted_with_systemd():
            command = ["systemd-run", "--quiet", "--scope", "--collect", "--property=Delegate=yes",
                       f"--unit={self.machine}"] + command
        else:
            entry = lambda: system.enter_cgroup(self.machine)  # noqa: E731
        with open(self.console, "ab") as console:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                             start_new_session=True, preexec_fn=entry,
                             env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
                                  "SYSTEMD_NSPAWN_LOCK": "0"})
        wait_until(f"{self.name}: network link", self._link_or_failure, 20)
        network.attach(self.interface, self.tag)

    def wait_booted(self):
        answer = wait_until(f"{self.name}: boot (see {self.console})", self._boot_answer, BOOT_DEADLINE, pause=0.05)
        if answer == "degraded":
            failed = self.run("systemctl", "--failed", "--plain", "--no-legend", check=False).stdout.strip()
            print(f"bed: {self.name} is up, but with failed units:\n{failed}", flush=True)

    def cut_power(self):
        """SIGKILL to the host's PID 1 takes every process with it, as a pulled plug does. The disk stays."""
        for pid in self.container_pids():
            init = self._init_of(pid)
            system.kill(init if init else pid)
        with contextlib.suppress(BedError):
            wait_until(f"{self.name} to end", lambda: not self.container_pids(), 10)
        for pid in self.container_pids():
            system.kill(pid)
        wait_until(f"{self.name} to end", lambda: not self.container_pids(), 10)
        system.remove_cgroup(self.machine)
        wait_until(f"{self.name}: network link to go", lambda: not network.exists(self.interface), 10)

    # Network, one way only: the other way goes on as if nothing had happened

    def mute(self):
        """What the host says reaches nobody."""
        peers = [*self.neighbours.values(), self.bridge_address]
        lines = [f"neigh replace {peer} lladdr {network.NOBODY} dev host0 nud permanent" for peer in peers
                 if peer != self.address]
        self.run("ip", "-batch", "-", stdin=None, input="\n".join(lines) + "\n")

    def unmute(self):
        self.run("ip", "neigh", "flush", "dev", "host0", "nud", "permanent")

    def deafen(self):
        """What others say does not reach the host."""
        network.divert(self.hardware_address(), network.interface(self.tag, self._neighbour()))

    def undeafen(self):
        network.undivert(self.hardware_address(), network.interface(self.tag, self._neighbour()))

    def hardware_address(self):
        return self.run("cat", "/sys/class/net/host0/address").stdout.strip()

    def _neighbour(self):
        return next(name for name in self.neighbours if name != self.name)

    # State

    def container_pids(self):
        return [pid for pid, machine in system.container_processes() if machine == self.machine
                and system.is_alive(pid) and self._is_outermost(pid)]

    def init_pid(self):
        """The host's PID 1 as this machine numbers it; None when the host is off."""
        for pid in self.container_pids():
            init = self._init_of(pid)
            if init:
                return init
        return None

    def state(self):
        return "up" if self.init_pid() else "off"

    # Commands on the host

    def entry(self, command):
        pid = self.init_pid()
        if pid is None:
            raise BedError(f"{self.name} is off; `bed boot {self.name}` switches it on")
        return ["nsenter", "-t", str(pid), "-a", "--", "env", "--chdir=/root", *command]

    def run(self, *command, check=True, **options):
        return run(*self.entry(command), check=check, env=guest_environment(), **options)

    def _is_outermost(self, pid):
        # nspawn forks before it execs init: its child has the same command line for a moment.
        parent = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1] \
            if Path(f"/proc/{pid}/stat").exists() else "0"
        return f"--machine={self.machine}" not in system.command_line(parent)

    def _init_of(self, container):
        for child in system.children(container):
            for candidate in (child, *system.children(child)):
                with contextlib.suppress(OSError):
                    status = Path(f"/proc/{candidate}/status").read_text(encoding="ascii", errors="replace")
                    numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
                    if len(numbers) > 1 and numbers[-1] == "1":
                        return candidate
        return None

    def _link_or_failure(self):
        if network.exists(self.interface):
            return True
        if not self.container_pids():
            raise BedError(f"{self.name} did not start:\n{self.console.read_text(errors='replace')[-2000:]}")
        return False

    def _boot_answer(self):
        if not self.container_pids():
            raise BedError(f"{self.name} ended while booting:\n{self.console.read_text(errors='replace')[-2000:]}")
        if not self.init_pid():
            return None
        answer = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return answer if answer in ("running", "degraded") else None


def guest_environment():
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
            "LANG": "C.UTF-8", "TERM": os.environ.get("TERM", "dumb"), "DEBIAN_FRONTEND": "noninteractive"}


def end_containers(tag):
    """Ends every container of a bed by its machine name, for beds whose records are gone or stale."""
    def found():
        return [pid for pid, machine in system.container_processes()
                if machine.startswith(f"fl-{tag}-") and system.is_alive(pid)]
    for pid in found():
        for child in system.children(pid):
            system.kill(child, signal.SIGKILL)
    with contextlib.suppress(BedError):
        wait_until("containers to end", lambda: not found(), 10)
    for pid in found():
        system.kill(pid, signal.SIGKILL)
    wait_until("containers to end", lambda: not found(), 10)
