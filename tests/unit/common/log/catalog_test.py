"""Each MESSAGE_ID has an explanation for `journalctl -x`, made of fields that entries really have."""

import re
import sys
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else Path(__file__).resolve().parents[4]
IDS = re.findall(r"string_view (\w+) = \"(\w+)\";", (SOURCE / "common/log/message_ids.hpp").read_text(encoding="utf-8"))
CATALOG = (SOURCE / "common/log/fairlead.catalog").read_text(encoding="utf-8")
CODE = "\n".join(file.read_text(encoding="utf-8") for top in ("masterd", "nodeagentd")
                 for file in sorted((SOURCE / top).rglob("*.cpp")))


class Catalog(unittest.TestCase):
    def test_ids_are_128_bits_and_each_is_used_once(self):
        self.assertGreater(len(IDS), 5)
        for name, identity in IDS:
            self.assertRegex(identity, r"^[0-9a-f]{32}$", name)
        self.assertEqual(len({identity for _, identity in IDS}), len(IDS))

    def test_each_id_is_explained_and_nothing_else_is(self):
        self.assertEqual(sorted(re.findall(r"^-- (\w+)$", CATALOG, re.M)), sorted(identity for _, identity in IDS))

    def test_each_explanation_has_a_subject_and_a_page_to_read(self):
        for entry in re.split(r"^-- ", CATALOG, flags=re.M)[1:]:
            self.assertRegex(entry, r"\nSubject: .+\nDefined-By: fairlead\nSupport: man:fairlead-\w+\(8\)\n\n\S")

    def test_fields_in_explanations_are_fields_of_entries(self):
        for field in set(re.findall(r"@(\w+)@", CATALOG)):
            self.assertTrue(f'"{field}"' in CODE, field)


if __name__ == "__main__":
    unittest.main()
