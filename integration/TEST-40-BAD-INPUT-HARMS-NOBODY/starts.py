"""Daemons started by hand in ways that cannot work: each ends with the right status and one clear sentence."""

CONFIGURATION, UNUSABLE, CANNOT_RUN = 78, 77, 1
MASTERD, AGENT = "fairlead-masterd", "fairlead-nodeagentd"
AS_NOBODY = "setpriv --reuid=nobody --regid=nogroup --clear-groups"
# Its own registry, so that only the port is in the way.
ELSEWHERE = "[Master]\nRegistry=/tmp/elsewhere.sqlite\n"
SECOND_AGENT = ("[Agent]\nMaster=http://master1:5050\nListen=0.0.0.0:5052\nRuntimeDirectory=/tmp/run\n"
                "WorkDirectory=/tmp/work\n")

# program, configuration, what is said with it (the file is x.conf)
CONFIGURATIONS = [
    (MASTERD, "[Master]\nLisen=0.0.0.0:5050\n", ["x.conf:2:", "Lisen", "Listen"]),
    (MASTERD, "[Mater]\nListen=0.0.0.0:5050\n", ["x.conf:2:", "[Mater]", "Master"]),
    (MASTERD, "Listen=0.0.0.0:5050\n", ["x.conf:1:", "before the first [Section]"]),
    (MASTERD, "[Master\nListen=0.0.0.0:5050\n", ["x.conf:1:", "[Section]"]),
    (MASTERD, "[Master]\n\nListen 0.0.0.0:5050\n", ["x.conf:3:", "Name=value"]),
    (MASTERD, "[Master]\nListen=5050\n", ["x.conf:2:", "Listen=5050", "address:port"]),
    (MASTERD, "[Master]\nListen=0.0.0.0:66000\n", ["x.conf:2:", "0 to 65535"]),
    (MASTERD, "[Master]\nListen=nowhere:5050\n", ["x.conf:2:", "nowhere"]),
    (MASTERD, "[Master]\nHeartbeatInterval=fast\n", ["x.conf:2:", "HeartbeatInterval=fast", "expected a time"]),
    (MASTERD, "[Master]\nHeartbeatInterval=0\n", ["x.conf:2:", "above zero"]),
    (MASTERD, "[Master]\nThreads=-1\n", ["x.conf:2:", "Threads=-1", "from 1 to 64"]),
    (AGENT, "[Agent]\nMaster=http://master1:5050\nListn=0.0.0.0:5051\n", ["x.conf:3:", "Listn", "Listen"]),
    (AGENT, "[Agent]\n", ["Master"]),
    (AGENT, "[Agent]\nMaster=http://master1:port\n", ["x.conf:2:", "Master"]),
    (AGENT, "[Agent]\nMaster=http://master1:5050\nResources=cpus:many\n", ["x.conf:3:", "Resources"]),
]

# host, name, preparation, command, configuration, what is said, and the status where it is another one
HOSTS = [
    ("master1", "a port in use", "", MASTERD, ELSEWHERE, ["0.0.0.0:5050", "Address already in use"]),
    ("master1", "a port of the system's", "", f"{AS_NOBODY} {MASTERD}",
     "[Master]\nRegistry=/tmp/nobodys.sqlite\nListen=0.0.0.0:80\n",
     ["0.0.0.0:80", "Permission denied"]),
    ("master1", "an address of another host", "", MASTERD, ELSEWHERE + "Listen=192.0.2.1:5050\n",
     ["192.0.2.1:5050", "Cannot assign requested address"]),
    ("master1", "a registry that nobody may open", "", f"{AS_NOBODY} {MASTERD}", "[Master]\nListen=127.0.0.1:0\n",
     ["/var/lib/fairlead/master/registry.sqlite"]),
    ("master1", "a registry that is none", "echo nonsense >/tmp/nonsense; ", MASTERD,
     "[Master]\nListen=127.0.0.1:0\nRegistry=/tmp/nonsense\n", ["/tmp/nonsense"], UNUSABLE),
    ("agent1", "a port in use", "", AGENT, "[Agent]\nMaster=http://master1:5050\nRuntimeDirectory=/tmp/run\n"
     "WorkDirectory=/tmp/work\n", ["0.0.0.0:5051", "Address already in use"]),
    ("agent1", "no permission", "", f"{AS_NOBODY} {AGENT}", "[Agent]\nMaster=http://master1:5050\nListen=0.0.0.0:5052\n",
     ["/fairlead/agent", "Permission denied"]),
    ("agent1", "no systemd", "mount -t tmpfs none /run/systemd; ", AGENT, SECOND_AGENT, ["does not run systemd"]),
    ("agent1", "no systemd that answers", "mount --bind /dev/null /run/systemd/private; ", AGENT, SECOND_AGENT,
     ["/run/systemd/private", "cannot be reached"]),
]


def start(b, host, command, configuration, before=""):
    """(status, words) of a daemon in a mount namespace of its own; 124 when it has not ended after ten seconds."""
    if configuration:
        b.on(host, f"cat >/tmp/x.conf <<'END'\n{configuration}END\nchmod 644 /tmp/x.conf")
        command += " --config /tmp/x.conf"
    inside = f"{before}timeout 10 {command} 2>&1; status=$?; echo; echo $status"
    output, _, status = b.on(host, f"unshare --mount sh -c '{inside}'").rpartition("\n")
    return int(status), output.strip()


def failures(b):
    """A sentence for each start that did not end as it must."""
    def judge(name, wanted, words, got):
        status, output = got
        if status != wanted or not all(word in output for word in words) or len(output.splitlines()) > 1:
            yield f"{name}: expected status {wanted} and one line with {words}, got {status}: {output!r}"
    for program, configuration, words in CONFIGURATIONS:
        host = "master1" if program == MASTERD else "agent1"
        yield from judge(repr(configuration), CONFIGURATION, words, start(b, host, program, configuration))
    yield from judge("a file that is not there", CONFIGURATION, ["/nowhere.conf", "No such file"],
                     start(b, "master1", f"{MASTERD} --config /nowhere.conf", ""))
    for host, name, before, command, configuration, words, *status in HOSTS:
        wanted = status[0] if status else CANNOT_RUN
        yield from judge(f"{name} on {host}", wanted, words, start(b, host, command, configuration, before))
