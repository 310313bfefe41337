"""What a master says and how it ends when it cannot run here: at its start, before it contends for anything."""

import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MASTER = sys.argv.pop(1)
PATIENCE_S = 60


class Start(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, **keys):
        """Its status and what it said."""
        file = self.folder / "masterd.conf"
        keys = {"Listen": "127.0.0.1:0", "Hostname": "localhost", "Registry": self.folder / "registry.sqlite", **keys}
        file.write_text("[Master]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()), encoding="utf-8")
        done = subprocess.run([MASTER, "--config", file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
        return done.returncode, done.stderr

    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            status, said = self.start(Listen=f"127.0.0.1:{port}")
        self.assertEqual(status, 1, said)
        self.assertIn(str(port), said)

    def test_a_name_that_others_could_not_find_is_named(self):
        status, said = self.start(Hostname="no-such-host.invalid", ZooKeeper="zk://127.0.0.1:1/fairlead")
        self.assertEqual(status, 1, said)
        self.assertIn("no-such-host.invalid, does not resolve", said)

    def test_a_registry_that_is_none_is_named(self):
        file = self.folder / "registry.sqlite"
        file.write_bytes(b"x" * 5000)
        status, said = self.start()
        self.assertEqual(status, 77, said)
        self.assertIn(str(file), said)

    def test_a_wrong_configuration_has_a_status_of_its_own(self):
        status, said = self.start(Listne="127.0.0.1:0")
        self.assertEqual(status, 78, said)
        self.assertIn("did you mean Listen?", said)


if __name__ == "__main__":
    unittest.main()
