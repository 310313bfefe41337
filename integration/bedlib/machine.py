"""A virtual machine with cgroup v2 under software emulation: where limits bite and reboots are real.

It is one host that carries master, agent and fairctl. Emulation is about a hundred times slower than the machine, so
nothing is ever timed here and every wait is generous. KVM is not looked for: a device that opens is no promise that a
guest gets past its firmware.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import machine_image
from .system import BedError, is_alive

BOOT_DEADLINE = 600
COMMAND_DEADLINE = 300
MEMORY_MB = 2048
FOLDERS, PREFIX = Path("/var/tmp"), "fairlead-vm-"
PR_SET_PDEATHSIG = 1


class Machine:
    """Switched on by `with Machine(package_folder) as machine`; nothing is left when the block ends."""

    def __init__(self, package_folder, console=None):
        self.image = machine_image.path(package_folder)
        _remove_stale_folders()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=FOLDERS))
        self.console = Path(console) if console else self.folder / "console.log"
        self.boot_id = None
        self._asked = 0
        self._pending = b""
        self._process = self._commands = self._log = None

    def __enter__(self):
        try:
            self._start()
            self._wait_for_boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    @property
    def url(self):
        """The master, as this machine reaches it."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, script, deadline=COMMAND_DEADLINE):
        """Runs lines of shell as root; gives (status, output)."""
        self._asked += 1
        self._send({"id": self._asked, "script": script})
        while True:
            answer = self._receive(deadline, f"`{script}`")
            if answer.get("id") == self._asked:
                return answer["status"], answer["output"].strip()

    def on(self, script, check=True, deadline=COMMAND_DEADLINE):
        """Runs lines of shell and gives what they printed; a failure is an error that tells it."""
        status, output = self.run(script, deadline)
        if check and status != 0:
            raise BedError(f"on the machine, `{script}` failed with status {status}:\n{output}")
        return output

    def reboot(self):
        """Orderly, as `systemctl reboot` does it; returns when the machine is up again."""
        before = self.boot_id
        self._asked += 1
        self._send({"id": self._asked, "script": "systemctl --no-block reboot"})
        self._wait_for_boot()
        if self.boot_id == before:
            raise BedError("the machine did not reboot")

    def reset(self):
        """As the reset button does it: nothing on the machine is asked."""
        self._ask_emulator("system_reset")
        self._wait_for_boot()

    # Below: QEMU

    def _start(self):
        program = shutil.which("qemu-system-x86_64")
        if program is None:
            raise BedError("qemu-system-x86_64 is missing; run ./install-deps")
        self.port = _free_port()
        image = self.image
        command = [
            program, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MB),
            "-nodefaults", "-no-user-config", "-display", "none",
            "-kernel", image.kernel, "-initrd", image.initrd, "-append", " ".join(machine_image.KERNEL_ARGUMENTS),
            "-drive", f"file={image.disk},if=virtio,format=raw,snapshot=on",
            "-serial", f"file:{self.console}",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=commands,path={self.folder}/commands,server=on,wait=off",
            "-device", "virtserialport,chardev=commands,name=fairlead.commands",
            "-chardev", f"socket,id=control,path={self.folder}/control,server=on,wait=off",
            "-mon", "chardev=control,mode=control",
            # No way out: only the master's port is reachable, and only from this machine.
            "-netdev", f"user,id=outside,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:5050",
            "-device", "virtio-net-pci,netdev=outside,romfile=",
            "-device", "virtio-rng-pci",
        ]
        self._log = open(self.folder / "qemu.log", "wb")
        self._process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self._log,
                                         stderr=self._log, env={"TMPDIR": str(self.folder), "PATH": "/usr/bin:/bin"},
                                         preexec_fn=_die_with_parent)
        self._commands = self._connect("commands")

    def _connect(self, name):
        end = time.monotonic() + 30
        connection = socket.socket(socket.AF_UNIX)
        while True:
            self._must_live()
            try:
                connection.connect(str(self.folder / name))
                return connection
            except OSError as error:
                if time.monotonic() > end:
                    raise BedError(f"no connection to the emulator: {error}") from error
                time.sleep(0.05)

    def _ask_emulator(self, command):
        """A command of QEMU's machine protocol."""
        with self._connect("control") as control, control.makefile("rw", encoding="utf-8") as lines:
            lines.readline()  # who it is
            for each in ("qmp_capabilities", command):
                lines.write(json.dumps({"execute": each}) + "\n")
                lines.flush()
                answer = {}
                while not answer.keys() & {"return", "error"}:  # events may come in between
                    answer = json.loads(lines.readline())
                if "error" in answer:
                    raise BedError(f"the emulator refused {each}: {answer['error']}")

    def _wait_for_boot(self):
        end = time.monotonic() + BOOT_DEADLINE
        while True:
            answer = self._receive(end - time.monotonic(), f"boot (console: {self.console})")
            if "boot" in answer and answer["boot"] != self.boot_id:
                self.boot_id = answer["boot"]
                return

    def _send(self, message):
        self._must_live()
        self._commands.sendall((json.dumps(message) + "\n").encode())

    def _receive(self, deadline, what):
        end = time.monotonic() + deadline
        while b"\n" not in self._pending:
            self._must_live()
            if not select.select([self._commands], [], [], max(0, min(1, end - time.monotonic())))[0]:
                if time.monotonic() > end:
                    raise BedError(f"the machine: {what}: not within {deadline:.0f} s\n{self._console_tail()}")
                continue
            received = self._commands.recv(65536)
            if not received:
                raise BedError(f"the machine ended during {what}\n{self._console_tail()}")
            self._pending += received
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)

    def _must_live(self):
        if self._process.poll() is not None:
            log = (self.folder / "qemu.log").read_text(errors="replace")
            raise BedError(f"the machine is off (status {self._process.returncode})\n{log}{self._console_tail()}")

    def _console_tail(self):
        with contextlib.suppress(OSError):
            return self.console.read_text(errors="replace")[-2000:]
        return ""

    def _end(self):
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for each in (self._commands, self._log):
            if each:
                each.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _remove_stale_folders():
    """What a killed run has left; its machine went with it."""
    for folder in FOLDERS.glob(PREFIX + "*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent():
    """A crashed or killed test leaves no machine running."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
