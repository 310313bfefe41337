"""What the units of the daemons promise: they come back whatever ended them, and systemd knows every word of theirs."""

import configparser
import re
import subprocess
import sys
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else Path(__file__).resolve().parents[3]
UNITS = sorted(unit for unit in (SOURCE / "units").iterdir() if unit.suffix in (".service", ".slice"))
DAEMONS = [unit for unit in UNITS if unit.suffix == ".service"]


def read(unit):
    """Sections and keys of a unit; of a key that comes twice, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str
    parser.read(unit, encoding="utf-8")
    return parser


class Units(unittest.TestCase):
    def test_systemd_knows_every_key_and_value(self):
        self.assertEqual(len(DAEMONS), 2, DAEMONS)
        # What it says beside that is of programs and pages that are not installed here.
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", *UNITS], stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        self.assertEqual(re.findall(r"^.*units/fairlead\S*:\d+: .*$", said, re.M), [])


class Daemons(unittest.TestCase):
    def test_no_failure_is_one_too_many(self):
        for unit in DAEMONS:
            keys = read(unit)
            self.assertEqual(keys["Service"]["Restart"], "on-failure", unit.name)
            self.assertEqual(keys["Unit"].get("StartLimitIntervalSec"), "0", f"{unit.name} is given up in the end")

    def test_a_wrong_configuration_is_not_tried_again(self):
        for unit in DAEMONS:
            self.assertIn("78", read(unit)["Service"]["RestartPreventExitStatus"].split(), unit.name)

    def test_one_that_is_stopped_dead_is_not_waited_for(self):
        for unit in DAEMONS:
            service = read(unit)["Service"]
            self.assertTrue(service["WatchdogSec"], unit.name)
            self.assertLessEqual(int(service.get("TimeoutAbortSec", "90")), 5, unit.name)


if __name__ == "__main__":
    unittest.main()
