"""The processes of both frameworks: started again whenever one ends, as a service manager would, until the end."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from ledger import read

HERE = Path(__file__).resolve().parent
# They know the bed's hosts by name, which this machine does not.
WITH_HOSTS = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']
ENDS_MAX = 200


class Schedulers:
    def __init__(self, program, folder, hosts_file, zookeeper_url, masters):
        pymesos = [sys.executable, "-B", HERE / "pymesos_framework.py", zookeeper_url, folder]
        sdk = [program, folder, *masters]
        self.folder = folder
        self._commands = {"pymesos": pymesos, "sdk-1": sdk, "sdk-2": sdk}
        self._prefix = [*WITH_HOSTS, hosts_file]
        self._processes, self._ended, self._over = {}, 0, threading.Event()
        self._lock = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self):
        for name in self._commands:
            self._start(name)
        self._keeper.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._keeper.join()
        for process in self._processes.values():
            process.kill()
            process.wait()

    def signal(self, draw, which):
        """One of them, mostly the sdk's active one; gives its process."""
        with self._lock:
            name = "pymesos" if draw < 0.3 else self._active_sdk() if draw < 0.8 else "sdk-2"
            process = self._processes[name]
            process.send_signal(which)
            return process

    def complaints(self):
        if self._ended > ENDS_MAX:
            return f"the schedulers have ended {self._ended} times; see {self.folder}"
        return None

    def _active_sdk(self):
        subscribed = [record["by"] for record in read(self.folder / "sdk") if record["what"] == "subscribed"]
        found = [name for name, process in self._processes.items() if subscribed and process.pid == subscribed[-1]]
        return found[0] if found else "sdk-1"

    def _start(self, name):
        with open(self.folder / f"{name}.log", "ab") as log:
            command = [str(part) for part in [*self._prefix, *self._commands[name]]]
            self._processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                     env=dict(os.environ, PYTHONUNBUFFERED="1"))

    def _keep(self):
        while not self._over.wait(0.5):
            with self._lock:
                for name, process in self._processes.items():
                    if process.poll() is not None:
                        self._ended += 1
                        self._start(name)
