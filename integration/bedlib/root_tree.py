"""The root trees that hosts start from: plain Debian 12 with systemd, built once by mmdebstrap and then only read.

A tree holds what our packages depend on, so that `apt-get install ./fairlead-*.deb` on a booted host needs no network;
it holds nothing of ours. The key of the cache is the recipe: change a line here and the next `bed up` builds a new tree.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

from . import cache
from .system import BedError, locked, run

SUITE = "bookworm"

BASE = [
    # the system
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "iproute2", "procps", "kmod", "less", "ca-certificates",
    # what our packages depend on
    "libboost-json1.81.0", "libprotobuf32", "libsystemd0", "libfmt9", "libsqlite3-0", "libre2-9", "libssl3",
    "libarchive13", "libzookeeper-mt2", "libjemalloc2",
    # what tests and people run on a host
    "python3-minimal", "libpython3-stdlib", "curl",
]
RECIPES = {
    "host": BASE,
    # A virtual machine brings its own kernel; udev loads the modules for what the machine has.
    "machine": BASE + ["linux-image-cloud-amd64", "initramfs-tools", "udev"],
    "zookeeper": BASE + ["zookeeperd", "default-jre-headless"],
}

# Run in the finished tree. Persistent journals survive a power cut; dpkg need not fsync in a test host.
CUSTOMIZE = [
    'mkdir -p "$1/var/log/journal" "$1/etc/systemd/system.conf.d"',
    'echo force-unsafe-io > "$1/etc/dpkg/dpkg.cfg.d/bed"',
    'printf "[Manager]\\nDefaultTimeoutStopSec=20s\\n" > "$1/etc/systemd/system.conf.d/bed.conf"',
    'rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
    ': > "$1/etc/machine-id"',
]
# The server starts when the bed has written its configuration, not with Debian's example.
CUSTOMIZE_ZOOKEEPER = ['chroot "$1" systemctl disable zookeeper.service']


def path(kind="host"):
    """The tree of that kind, built now if this recipe was never built before."""
    top = cache.folder("roots") / f"{kind}-{_key(kind)}"
    tree = top / "tree"
    with locked(cache.folder("roots") / f"{kind}.lock"):
        if not tree.is_dir():
            _build(kind, top)
    return tree


def _customize(kind):
    return CUSTOMIZE + (CUSTOMIZE_ZOOKEEPER if kind == "zookeeper" else [])


def _key(kind):
    recipe = json.dumps([SUITE, RECIPES[kind], _customize(kind)])
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _build(kind, top):
    print(f"bed: building the root tree for {kind}s, once (half a minute)", flush=True)
    if shutil.which("mmdebstrap") is None:
        raise BedError("mmdebstrap is missing; run ./install-deps")
    unfinished = top / "unfinished"
    if unfinished.exists():
        run("rm", "-rf", "--one-file-system", unfinished)
    top.mkdir(parents=True, exist_ok=True)
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--include=" + ",".join(RECIPES[kind])]
    command += [f"--customize-hook={line}" for line in _customize(kind)]
    command += [f"--aptopt={line}" for line in _proxies()]
    run(*command, SUITE, unfinished, *_sources())
    unfinished.rename(top / "tree")


def _sources():
    """The machine's own apt sources for Debian: whatever mirror works here works for the tree as well."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list")),
             *sorted((folder / "sources.list.d").glob("*.sources"))]
    suite = re.compile(rf"(?m)^[^#]*(?<![\w-]){SUITE}(?![\w-])")
    found = [file for file in files if file.is_file() and suite.search(file.read_text(encoding="utf-8"))]
    if not found:
        raise BedError(f"no apt source for Debian {SUITE} in /etc/apt; beds are built from the machine's own sources")
    return found


def _proxies():
    dump = run("apt-config", "dump", "--format", "%F \"%v\";%n", "Acquire", check=False).stdout
    return [line for line in dump.splitlines() if re.match(r"Acquire::\w+::Proxy\b", line)]
