#!/usr/bin/python3
"""The judge of the chaos test finds each way in which a ledger, a journal or reality can be wrong."""

import copy
import dataclasses
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import judge  # noqa: E402
from judge import Entry, Evidence, Fault  # noqa: E402
from ledger import Book  # noqa: E402


def update(at, task, state, source="SOURCE_EXECUTOR", uuid="", **more):
    return {"at": at, "what": "update", "task": task, "state": state, "source": source, "uuid": uuid or f"{task}{state}",
            "message": ""} | more


def honest():
    """`good` ran and finished; `failing` ended with status 3; `lost` never ran."""
    ledger = [{"at": 1, "what": "launch", "task": name, "item": number, "agent": "S1", "host": "agent1"}
              for number, name in ((1, "good"), (3, "failing"), (2, "lost"))]
    ledger += [update(2.1, "good", "TASK_RUNNING"), update(5, "good", "TASK_FINISHED"),
               update(2.2, "failing", "TASK_RUNNING"), update(5, "failing", "TASK_FAILED"),
               update(3, "lost", "TASK_DROPPED", "SOURCE_MASTER"), {"at": 9, "what": "drained"}]
    ran = ["good 2.0 start", "failing 2.1 start", "failing 4.0 end 3", "good 4.0 end 0"]
    journal = [Entry(at, "agent1", what, task) for task in ("good", "failing")
               for at, what in ((2, "started"), (4.5, "ended"))]
    return Evidence({"f": ledger}, {"agent1": ran, "agent2": []}, journal, [], [])


class Judge(unittest.TestCase):
    def setUp(self):
        self.evidence = honest()
        self.ledger, self.ran = self.evidence.ledgers["f"], self.evidence.ran["agent1"]

    def of(self, task, what="update"):
        return [record for record in self.ledger if record.get("task") == task and record["what"] == what]

    def expect(self, words):
        found = judge.complaints(self.evidence)
        self.assertTrue(any(words in complaint for complaint in found), f"{words!r} is not in {found}")

    def expect_none(self):
        self.assertEqual(judge.complaints(self.evidence), [])

    def test_honest_evidence_gives_no_complaint(self):
        self.expect_none()

    def test_evidence_that_was_kept_is_the_same(self):
        self.evidence.faults.append(Fault("agent-kill", "agent1", 2, 2))
        self.assertEqual(judge.read(json.dumps(dataclasses.asdict(self.evidence))), self.evidence)

    def test_updates_that_are_told_again_are_fine(self):
        self.ledger += [dict(record, at=6) for record in self.of("good")]
        self.expect_none()

    def test_a_task_that_ran_twice(self):
        self.evidence.ran["agent2"].append("good 3.0 start")
        self.expect("started 2 times")

    def test_a_task_that_nobody_launched(self):
        self.ran.append("stranger 3.0 start")
        self.expect("nobody has launched it")

    def test_two_ends(self):
        self.ledger.append(update(6, "good", "TASK_LOST", "SOURCE_MASTER"))
        self.expect("several ways")

    def test_that_an_ended_task_is_not_known_any_more_is_no_other_end(self):
        gone = update(6, "good", "TASK_GONE", "SOURCE_MASTER", reason="REASON_RECONCILIATION")
        gone["uuid"] = None
        self.ledger.append(gone)
        self.expect_none()
        gone["at"] = 3
        self.expect("several ways")

    def test_an_answer_that_tells_of_a_failure_before_its_update_does(self):
        self.ledger.append(update(4.5, "failing", "TASK_FAILED", "SOURCE_MASTER", reason="REASON_RECONCILIATION"))
        self.ledger[-1]["uuid"] = None
        self.expect_none()

    def test_the_same_end_as_two_events(self):
        self.ledger.append(update(6, "good", "TASK_FINISHED", uuid="another"))
        self.expect("two events")

    def test_no_end(self):
        self.ledger.remove(self.of("good")[-1])
        self.expect("nobody was told what became of it")

    def test_life_after_the_end(self):
        self.ledger.append(update(6, "good", "TASK_RUNNING", uuid="another"))
        self.expect("after its end")

    def test_finished_that_is_not(self):
        self.ran.remove("good 4.0 end 0")
        self.expect("told to be finished, and is not")

    def test_failed_that_has_not(self):
        self.of("good")[-1]["state"] = "TASK_FAILED"
        self.expect("told to have failed by itself")

    def test_a_task_that_ran_on_and_was_told_lost(self):
        self.of("good")[-1].update(state="TASK_GONE", source="SOURCE_MASTER")
        self.expect("lost: told to be TASK_GONE")

    def test_a_power_cut_is_a_reason_for_that_on_its_own_host_only(self):
        self.of("good")[-1].update(state="TASK_GONE", source="SOURCE_MASTER")
        self.evidence.faults.append(Fault("agent-power", "agent2", 3, 4))
        self.expect("lost: told to be TASK_GONE")
        self.evidence.faults.append(Fault("agent-power", "agent1", 3, 4))
        self.expect_none()

    def test_a_killed_supervisor_is_a_reason_for_its_own_task_only(self):
        self.of("good")[-1].update(state="TASK_FAILED", source="SOURCE_AGENT")
        self.evidence.faults.append(Fault("supervisor-kill", "agent1", 3, 3, "failing"))
        self.expect("lost: told to be TASK_FAILED")
        self.evidence.faults.append(Fault("supervisor-kill", "agent1", 3, 3, "good"))
        self.expect_none()

    def test_a_kill_that_nobody_asked_for(self):
        self.of("good")[-1]["state"] = "TASK_KILLED"
        self.expect("its framework did not ask for it")
        self.ledger.append({"at": 4, "what": "kill", "task": "good"})
        self.expect_none()

    def test_a_launch_that_was_told_to_have_come_to_nothing_and_ran(self):
        self.ran.append("lost 3.5 start")
        self.expect("lost: told to be TASK_DROPPED")

    def test_a_task_that_was_given_up_and_lives(self):
        self.of("lost")[0]["state"] = "TASK_UNKNOWN"
        self.ledger.append({"at": 4, "what": "gave_up", "task": "lost"})
        self.expect_none()
        self.ran.append("lost 3.5 start")
        self.expect("it lives although")

    def test_a_refused_launch_that_lives(self):
        self.ledger += [{"at": 4, "what": "refused", "task": "lost"}, update(6, "lost", "TASK_RUNNING")]
        self.expect("it lives although")

    def test_a_journal_that_does_not_tell_the_start(self):
        before = copy.copy(self.evidence.journal)
        self.evidence.journal[:] = [entry for entry in before if (entry.task, entry.what) != ("good", "started")]
        self.expect("does not tell that it has started")
        self.evidence.faults.append(Fault("agent-kill", "agent1", 2, 2))
        self.expect_none()

    def test_a_journal_that_tells_an_end_twice(self):
        self.evidence.journal.append(Entry(60, "agent1", "ended", "good"))
        self.expect("2 times that it has ended")

    def test_a_journal_that_tells_of_a_task_that_did_not_run(self):
        self.evidence.journal.append(Entry(3, "agent1", "started", "lost"))
        self.expect("and it has not")

    def test_what_is_left_over(self):
        self.evidence.left_over.append("agent1: a scope")
        self.expect("a scope")

    def test_a_framework_that_did_not_come_to_its_end(self):
        self.ledger.pop()
        self.expect("has not come to the end")


class Books(unittest.TestCase):
    def test_an_item_is_tried_again_until_it_has_ended_as_it_was_meant_to(self):
        book = Book(honest().ledgers["f"])
        self.assertEqual((book.to_do, book.tasks, book.next_item), ([2], {}, 4))
        book.take({"what": "launch", "task": "again", "item": 2})
        self.assertFalse(book.is_done())
        book.take(update(8, "again", "TASK_FINISHED"))
        self.assertTrue(book.is_done())


if __name__ == "__main__":
    unittest.main()
