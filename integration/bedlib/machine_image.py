"""The disk of the virtual machine: one host that is master and agent, our packages installed, ready to boot.

The packages are installed at native speed, in a container over a copy of the root tree, and never inside the emulated
machine, where apt alone would take minutes. The units start with the first boot, as after an installation by an image
builder. Cached by what it is made of; only the newest image is kept.
"""

import hashlib
import json
import shutil
from pathlib import Path

from . import cache, packages, root_tree
from .system import BedError, locked, run

SIZE = "3G"
# A single host: the agent's own machine carries the master.
ROLES = ("master", "agent")

# Runs what the outside asks for, one command at a time, and answers with status and output. A line of JSON each way,
# over a port of the machine and not over its network, so that a test may break the network.
COMMAND_SERVER = '''\
import json
import subprocess
import time

BOOT_ID = open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip()

with open("/dev/virtio-ports/fairlead.commands", "r+b", buffering=0) as port:
    def answer(message):
        port.write((json.dumps(message) + "\\n").encode())

    answer({"boot": BOOT_ID})
    pending = b""
    while True:
        received = port.read(65536)
        if not received:  # nobody is connected on the outside
            time.sleep(0.2)
            continue
        pending += received
        while b"\\n" in pending:
            line, _, pending = pending.partition(b"\\n")
            asked = json.loads(line)
            done = subprocess.run(["sh", "-c", asked["script"]], cwd="/root", stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            answer({"id": asked["id"], "status": done.returncode,
                    "output": done.stdout.decode(errors="replace")})
'''

COMMAND_UNIT = """\
[Unit]
Description=Commands from outside the machine
After=multi-user.target

[Service]
ExecStart=/usr/bin/python3 -B /usr/local/libexec/machine-commands
Environment=HOME=/root LANG=C.UTF-8
Restart=always

[Install]
WantedBy=multi-user.target
"""

# The only network card leads to the outside's loopback (see machine.py); the addresses are QEMU's.
NETWORK_UNIT = """\
[Unit]
Description=Address of this test machine
DefaultDependencies=no
Requires=sys-subsystem-net-devices-eth0.device
After=sys-subsystem-net-devices-eth0.device
Wants=network.target
Before=network.target network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip addr replace 10.0.2.15/24 dev eth0 && ip link set eth0 up && ip link set lo up'

[Install]
WantedBy=multi-user.target network-online.target
"""

# Emulation is a hundred times slower than the hosts that systemd's defaults are made for.
PATIENCE = """\
[Manager]
DefaultTimeoutStartSec=15min
DefaultTimeoutStopSec=5min
DefaultDeviceTimeoutSec=15min
"""

FILES = {
    "etc/hostname": "machine1\n",
    "etc/hosts": "127.0.0.1 localhost\n10.0.2.15 machine1\n",
    "etc/fstab": "/dev/vda / ext4 defaults 0 0\n",
    "etc/fairlead/masterd.conf.d/50-machine.conf":
        "[Master]\nListen=0.0.0.0:5050\nHostname=machine1\nClusterName=machine\n"
        "AgentPingInterval=30s\nAgentPingTimeout=10min\n",
    "etc/fairlead/nodeagentd.conf.d/50-machine.conf":
        "[Agent]\nMaster=http://10.0.2.15:5050\nHostname=machine1\nListen=0.0.0.0:5051\n",
    "etc/systemd/system.conf.d/machine.conf": PATIENCE,
    "etc/systemd/system/machine-commands.service": COMMAND_UNIT,
    "etc/systemd/system/machine-network.service": NETWORK_UNIT,
    "usr/local/libexec/machine-commands": COMMAND_SERVER,
}
ENABLED = ["machine-commands.service", "machine-network.service"]
# Nobody logs in, and nothing that a timer starts should be in the way of a test.
MASKED = ["serial-getty@ttyS0.service", "getty.target", "apt-daily.timer", "apt-daily-upgrade.timer"]
KERNEL_ARGUMENTS = ["root=/dev/vda", "rw", "psi=1", "panic=-1", "console=ttyS0", "net.ifnames=0",
                    "mitigations=off", "no_timer_check"]


class Image:
    def __init__(self, folder):
        self.disk, self.kernel, self.initrd = folder / "disk.img", folder / "vmlinuz", folder / "initrd.img"


def path(package_folder):
    """The image with the newest packages of that folder, built now if there is none; without packages for None."""
    tree = root_tree.path("machine")
    debs = [] if package_folder is None else \
        list({file.name: file for role in ROLES for file in packages.find(Path(package_folder), role)}.values())
    top = cache.folder("machine")
    folder = top / _key(tree, debs)
    with locked(top / "lock"):
        if not (folder / "disk.img").exists():
            for old in top.glob("image-*"):
                run("rm", "-rf", "--one-file-system", old)
            _build(tree, debs, folder)
    return Image(folder)


def _key(tree, debs):
    digest = hashlib.sha256(json.dumps([tree.parent.name, FILES, ENABLED, MASKED, SIZE]).encode())
    for file in debs:
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return "image-" + digest.hexdigest()[:12]


def _build(tree, debs, folder):
    print("vm: making the machine's disk", flush=True)
    for program in ("mkfs.ext4", "systemd-nspawn"):
        if shutil.which(program) is None:
            raise BedError(f"{program} is missing; run ./install-deps")
    root, unfinished = folder / "root", folder / "unfinished.img"
    folder.mkdir(parents=True)
    run("cp", "-a", "--reflink=auto", tree, root)
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    inside = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--pipe", "--private-network",
              f"--machine=fairlead-{folder.name}", "-D", root]
    run(*inside, "systemctl", "enable", *ENABLED)
    run(*inside, "systemctl", "mask", *MASKED)
    if debs:
        target = root / packages.DESTINATION
        target.mkdir(parents=True)
        for file in debs:
            shutil.copy(file, target)
        run(*inside, "apt-get", "install", "-q", "-y", "--no-install-recommends",
            *[f"/{packages.DESTINATION}/{file.name}" for file in debs])
    shutil.copy(root / "vmlinuz", folder / "vmlinuz")
    shutil.copy(root / "initrd.img", folder / "initrd.img")
    run("mkfs.ext4", "-q", "-F", "-L", "machine", "-d", root, unfinished, SIZE)
    run("rm", "-rf", "--one-file-system", root)
    unfinished.rename(folder / "disk.img")
