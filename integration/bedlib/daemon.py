"""One of our units on a host of a bed, as an administrator meets it: systemctl, journalctl, drop-ins of the configuration."""

import json
import re
from pathlib import Path

from .system import wait_until
from .testing import expect

SOURCE = Path(__file__).resolve().parent.parent.parent
IDS = dict(re.findall(r"string_view (\w+) = \"(\w+)\";", (SOURCE / "common/log/message_ids.hpp").read_text(encoding="utf-8")))
STARTED, CANNOT_RUN, ASK_OPERATOR, CONFIGURATION = 0, 1, 77, 78


class Daemon:
    def __init__(self, b, host, name):
        self.b, self.host, self.name = b, host, name
        self.unit = f"fairlead-{name}.service"
        self._cursor = ""

    def on(self, script, check=True):
        return self.b.on(self.host, script, check=check)

    def show(self, name):
        return self.on(f"systemctl show -P {name} {self.unit}")

    def configure(self, name, *lines, section=None):
        """Replaces the drop-in of that name; without lines it goes."""
        section = section or {"masterd": "Master", "nodeagentd": "Agent"}[self.name]
        file = f"/etc/fairlead/{self.name}.conf.d/{name}.conf"
        text = "".join(f"{line}\n" for line in (f"[{section}]", *lines)) if lines else ""
        self.on(f"cat >{file} <<'END'\n{text}END" if lines else f"rm -f {file}")

    def stop(self):
        self.on(f"systemctl stop {self.unit}")

    def start(self):
        """What `systemctl start` says at once; what is said from now on is `said`."""
        self._cursor = self.on("journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p'")
        self.on(f"systemctl stop {self.unit}; systemctl reset-failed {self.unit} 2>/dev/null || true", check=False)
        done = self.on(f"systemctl start {self.unit}; echo status $?", check=False)
        return int(done.rsplit("status ", 1)[1])

    def said(self, message_id=None):
        """Messages since the last start; only those with that MESSAGE_ID."""
        # journalctl loses the first entry after a cursor that its matches leave out, so all are read.
        told = self.on(f"journalctl -q -o json --after-cursor='{self._cursor}'", check=False)
        entries = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        return "\n".join(str(each["MESSAGE"]) for each in entries if self._is_of_unit(each) and (
            message_id is None or each.get("MESSAGE_ID") == IDS[message_id]))

    def _is_of_unit(self, entry):
        return self.unit in (entry.get("_SYSTEMD_UNIT"), entry.get("UNIT")) or \
            entry.get("SYSLOG_IDENTIFIER") == f"fairlead-{self.name}"

    def must_start(self, what=""):
        status = self.start()
        expect(status == 0, f"{self.unit} of {self.host} to start {what}, but: {self.said()}")

    def must_refuse(self, what, exit_status, message_id, *words):
        """`systemctl start` fails at once; the journal says why, under an id; where nothing is to be gained there is no
        further try."""
        status = self.start()
        expect(status != 0, f"{what}: systemctl start fails, but it gives {status}: {self.said()}")
        wait_until(f"{what}: its word", lambda: self.said(message_id), 20)
        told = self.said(message_id)
        for word in words:
            expect(word in told, f"{what}: {word!r} in the journal under {message_id}, but: {told}\nall: {self.said()}")
        if exit_status in (ASK_OPERATOR, CONFIGURATION):
            wait_until(f"{what}: the unit to have failed", lambda: self.show("ActiveState") == "failed", 20)
            expect(self.show("NRestarts") == "0", f"{what}: nobody tries it again")
        wait_until(f"{what}: exit status {exit_status}", lambda: self.show("ExecMainStatus") == str(exit_status), 20)
        expect("terminate called" not in self.said() and "ssert" not in self.said(), f"{what}: no crash: {self.said()}")
        print(f"  {what}: {told.splitlines()[-1]}", flush=True)
