"""One bridge a bed, one veth pair a host. The bridge holds the first address of the bed's /24, so that the machine
itself reaches every host; nothing is routed to anywhere else."""

import ipaddress
import json
import re

from .system import BedError, run

OFFSET = {"master": 10, "zk": 30, "agent": 100}


def address(subnet, host):
    """master1 is .11, zk1 is .31, agent1 is .101: readable in a log without a table."""
    role, number = re.fullmatch(r"([a-z]+)([1-9][0-9]*)", host).groups()
    return str(ipaddress.ip_network(subnet)[OFFSET[role] + int(number)])


def bridge_address(subnet):
    return str(ipaddress.ip_network(subnet)[1])


def interface(tag, host):
    """The outer end of a host's link; interface names end at 15 characters, so the role is one letter."""
    role, number = re.fullmatch(r"([a-z]+)([1-9][0-9]*)", host).groups()
    return f"fl{tag}{role[0]}{number}"


def bridge(tag):
    return f"fl{tag}br"


def free_subnet(seed, taken):
    """A /24 of 10.0.0.0/8 that no interface, route or other bed of this machine uses; the search starts at `seed`."""
    used = [ipaddress.ip_network(subnet) for subnet in taken]
    for route in json.loads(run("ip", "-j", "-4", "route", "show", "table", "all").stdout or "[]"):
        if route["dst"] != "default":
            used.append(ipaddress.ip_network(route["dst"], strict=False))
    for step in range(65536):
        number = (seed + step) % 65536
        candidate = ipaddress.ip_network(f"10.{number >> 8}.{number & 255}.0/24")
        if not any(candidate.overlaps(network) for network in used):
            return str(candidate)
    raise BedError("no free /24 in 10.0.0.0/8")


def bridge_hardware_address(subnet):
    """Locally administered, one for each subnet. A bridge without an address of its own takes that of a port and changes
    it when the port goes, and then no host reaches the machine until it asks anew who has the address."""
    octets = ipaddress.ip_network(subnet)[1].packed
    return "02:f1:" + ":".join(f"{octet:02x}" for octet in octets)


def make_bridge(tag, subnet):
    name = bridge(tag)
    run("ip", "link", "add", name, "address", bridge_hardware_address(subnet), "type", "bridge", "forward_delay", "0")
    run("ip", "addr", "add", bridge_address(subnet) + "/24", "dev", name)
    run("ip", "link", "set", name, "up")


def exists(name):
    return run("ip", "link", "show", name, check=False).returncode == 0


def attach(name, tag):
    run("ip", "link", "set", name, "master", bridge(tag), "up")


def set_link(name, up):
    run("ip", "link", "set", name, "up" if up else "down")


def is_up(name):
    shown = run("ip", "-j", "link", "show", name, check=False)
    return shown.returncode == 0 and "UP" in json.loads(shown.stdout)[0]["flags"]


# Locally administered, and no host's.
NOBODY = "02:00:00:00:00:de"


def divert(hardware_address, interface):
    """Frames for this address go out where it is not, and are dropped there."""
    run("bridge", "fdb", "replace", hardware_address, "dev", interface, "master", "static", "sticky")


def undivert(hardware_address, interface):
    run("bridge", "fdb", "del", hardware_address, "dev", interface, "master", check=False)


def remove_all(tag):
    """Every interface of the bed with this tag, recorded or not."""
    for link in json.loads(run("ip", "-j", "link", "show").stdout or "[]"):
        if re.fullmatch(rf"fl{tag}(br|[maz]\d+)", link["ifname"]):
            run("ip", "link", "del", link["ifname"], check=False)
