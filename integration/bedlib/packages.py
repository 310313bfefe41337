"""Our software on the hosts: exactly as an administrator gets it, by `apt-get install ./*.deb`."""

import shutil

from . import cache
from .system import BedError

WANTED = {
    "master": ["fairlead-master", "fairlead-cli", "fairlead-frameworks"],
    # The programs that the frameworks' tasks run must be where tasks run.
    "agent": ["fairlead-agent", "fairlead-cli", "fairlead-frameworks"],
    "zk": [],
}
DESTINATION = "var/cache/fairlead-bed"


def default_folder():
    return cache.folder("packages")


def find(folder, role):
    """The .deb files for a role; the newest when a package is there in several versions."""
    found = []
    for name in WANTED[role]:
        files = sorted(folder.glob(f"{name}_*.deb"), key=lambda file: file.stat().st_mtime)
        if not files:
            raise BedError(f"no {name}_*.deb in {folder}; run integration/build-packages, or give --no-packages")
        found.append(files[-1])
    return found


def install(host, role, folder):
    files = find(folder, role)
    if not files:
        return
    target = host.disk / DESTINATION
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, target)
    paths = [f"/{DESTINATION}/{file.name}" for file in files]
    # What the packages depend on is in the root tree; a bed has no way out, so nothing is downloaded here.
    host.run("apt-get", "install", "-q", "-y", "--no-install-recommends", *paths)


def configuration(host_name, master_urls, election, bed_name):
    """Drop-ins that are on the disk before the package is installed: the units start with them the first time.

    `election` is the zk:// URL where the masters meet; None: there is one master, and it leads.
    """
    client = {"etc/fairlead/client.conf.d/50-bed.conf": f"[Client]\nMaster={' '.join(master_urls)}\n"}
    if host_name.startswith("master"):
        meet = f"ZooKeeper={election}\n" if election else ""
        return client | {"etc/fairlead/masterd.conf.d/50-bed.conf":
                f"[Master]\nListen=0.0.0.0:5050\nHostname={host_name}\nClusterName={bed_name}\n{meet}"}
    if host_name.startswith("agent"):
        return client | {"etc/fairlead/nodeagentd.conf.d/50-bed.conf":
                f"[Agent]\nMaster={election or master_urls[0]}\nHostname={host_name}\nListen=0.0.0.0:5051\n"}
    return {}
