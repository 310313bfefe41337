"""A whole bed: which hosts it has, its network, its records on disk, and how all of it comes and goes.

A bed is found by its name alone: the tag in every container, interface and control group is a hash of the name. So a
bed can be cleaned away even when the run that made it died before it wrote anything down.
"""

import concurrent.futures
import contextlib
import hashlib
import json
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from . import host as hosts
from . import network, packages, root_tree, system, zookeeper
from .system import BedError, locked, run

# Overlay layers need a file system that can carry them (an overlay cannot); the first that can is taken.
STATE_FOLDERS = [Path("/var/tmp/fairlead-bed"), Path("/run/fairlead-bed"), Path("/dev/shm/fairlead-bed")]
MOST = {"masters": 19, "agents": 150, "zookeepers": 9}
MASTER_PORT = 5050


class Bed:
    def __init__(self, name):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
            raise BedError(f"`{name}` cannot be a bed's name: letters, digits, `_`, `.` and `-`, at most 64")
        self.name = name
        self.tag = hashlib.sha256(name.encode()).hexdigest()[:6]
        self.folder = next((base / name for base in STATE_FOLDERS if (base / name).is_dir()), None)
        self.subnet = None
        self.host_names = []
        self.state_disk_mb = 0
        self._load()

    # Life

    def up(self, masters, agents, zookeepers, package_folder, state_disk_mb=0):
        for what, number in (("masters", masters), ("agents", agents), ("zookeepers", zookeepers)):
            if not 0 <= number <= MOST[what]:
                raise BedError(f"--{what} {number}: a bed has 0 to {MOST[what]}")
        if package_folder:
            for role in ["master"] * bool(masters) + ["agent"] * bool(agents):
                packages.find(package_folder, role)
        trees = {"host": root_tree.path("host")}
        if zookeepers:
            trees["zookeeper"] = root_tree.path("zookeeper")
        with self.locked():
            self._clean()
            self.host_names = [f"master{n + 1}" for n in range(masters)] + [f"zk{n + 1}" for n in range(zookeepers)] \
                + [f"agent{n + 1}" for n in range(agents)]
            self.state_disk_mb = state_disk_mb
            self._record()
            network.make_bridge(self.tag, self.subnet)
            each = self.hosts(trees)
            _on_all(each, lambda host: self._first_boot(host, package_folder))
            for host in each:
                if host.name.startswith("zk"):
                    system.wait_until(f"{host.name} to serve", lambda: zookeeper.serves(host.address), 60, pause=0.1)

    def down(self):
        with self.locked():
            self._clean()

    def locked(self):
        return locked(Path("/run/lock") / f"fairlead-bed-{self.tag}.lock")

    def _first_boot(self, host, package_folder):
        masters = [f"http://{network.address(self.subnet, name)}:{MASTER_PORT}"
                   for name in self.host_names if name.startswith("master")]
        host.make_disk()
        files = zookeeper.configuration(host.name, self.host_names)
        if package_folder and masters:
            files |= packages.configuration(host.name, masters, zookeeper.election(self.host_names), self.name)
        for path, text in files.items():
            host.write(path, text)
        host.start()
        host.wait_booted()
        role = host.name.rstrip("0123456789")
        if package_folder:
            packages.install(host, role, package_folder)
        if role == "zk":
            host.run("systemctl", "enable", "--now", "zookeeper.service")

    def _clean(self):
        """Ends everything that carries the bed's tag, whether the records name it or not."""
        for base in STATE_FOLDERS:
            for point in system.mounts_below(base / self.name):  # who waits for a stalled disk cannot be ended
                run("fsfreeze", "--unfreeze", point, check=False)
        hosts.end_containers(self.tag)
        for root in system.CGROUP_ROOTS:
            for group in (root / system.CGROUP_PARENT).glob(f"fl-{self.tag}-*"):
                system.remove_cgroup(group.name)
        network.remove_all(self.tag)
        for base in STATE_FOLDERS:
            folder = base / self.name
            for point in system.mounts_below(folder):
                run("umount", point)
            if folder.exists():
                run("rm", "-rf", "--one-file-system", folder)
            with contextlib.suppress(OSError):
                base.rmdir()
        for left in Path("/run/systemd/nspawn/propagate").glob(f"fl-{self.tag}-*"):
            shutil.rmtree(left, ignore_errors=True)
        self.folder, self.subnet, self.host_names = None, None, []

    # Records

    def _record(self):
        with locked(Path("/run/lock/fairlead-bed.lock")):
            taken = [bed.subnet for bed in all_beds() if bed.subnet]
            self.subnet = network.free_subnet(int(self.tag[:4], 16), taken)
            self.folder = _state_folder() / self.name
            self.folder.mkdir(parents=True)
            record = {"name": self.name, "subnet": self.subnet, "hosts": self.host_names,
                      "state_disk_mb": self.state_disk_mb}
            (self.folder / "bed.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def _load(self):
        # A bed whose record is missing or cut short died while it was made; only `up` and `down` make sense for it.
        if self.folder:
            with contextlib.suppress(OSError, ValueError, KeyError):
                record = json.loads((self.folder / "bed.json").read_text(encoding="utf-8"))
                self.subnet, self.host_names = record["subnet"], record["hosts"]
                self.state_disk_mb = record.get("state_disk_mb", 0)

    # Questions

    def must_exist(self):
        if not self.subnet:
            raise BedError(f"there is no bed `{self.name}`; `bed up --name {self.name}` makes one")
        return self

    def hosts(self, trees=None):
        def tree(name):
            kind = "zookeeper" if name.startswith("zk") else "host"
            return trees[kind] if trees else root_tree.path(kind)
        self.must_exist()
        return [hosts.Host(self, name, tree(name)) for name in self.host_names]

    def host(self, name):
        self.must_exist()
        if name not in self.host_names:
            raise BedError(f"bed `{self.name}` has no host `{name}`; it has {', '.join(self.host_names)}")
        return next(host for host in self.hosts() if host.name == name)

    def leader_url(self):
        """Where the leading master listens. With several masters each is asked who leads."""
        masters = [host for host in self.hosts() if host.name.startswith("master")]
        if not masters:
            raise BedError(f"bed `{self.name}` has no master")
        if len(masters) == 1:
            return f"http://{masters[0].address}:{MASTER_PORT}"
        by_name = {master.name: master.address for master in masters}
        for master in masters:
            location = _redirect(f"http://{master.address}:{MASTER_PORT}/redirect")
            if location:
                leader = urllib.parse.urlsplit(location if "://" in location else "http:" + location)
                return f"http://{by_name.get(leader.hostname, leader.hostname)}:{leader.port or MASTER_PORT}"
        raise BedError("no master knows who leads")


def all_beds():
    return [Bed(folder.parent.name) for base in STATE_FOLDERS for folder in sorted(base.glob("*/bed.json"))]


def _on_all(each, action):
    """Boots in parallel; the first failure is told after all have ended."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        for done in [pool.submit(action, host) for host in each]:
            done.result()


def _state_folder():
    for base in STATE_FOLDERS:
        if base.parent.is_dir() and _carries_overlay(base):
            return base
    places = ", ".join(str(base.parent) for base in STATE_FOLDERS)
    raise BedError(f"none of {places} is on a file system that can carry an overlay")


def _carries_overlay(base):
    probe = base / ".probe"
    for part in ("lower", "upper", "work", "merged"):
        (probe / part).mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir={probe}/lower,upperdir={probe}/upper,workdir={probe}/work"
    mounted = run("mount", "-t", "overlay", "overlay", "-o", layers, probe / "merged", check=False).returncode == 0
    if mounted:
        run("umount", probe / "merged")
    shutil.rmtree(probe)
    with contextlib.suppress(OSError):
        base.rmdir()
    return mounted


def _redirect(url):
    class Keep(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Keep)
    try:
        opener.open(url, timeout=2)
    except urllib.error.HTTPError as answer:
        return answer.headers.get("Location")
    except OSError:
        return None
    return None
