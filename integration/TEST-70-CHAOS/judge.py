"""judge.py FILE: compares what schedulers were told with what agents wrote down and with what really ran.

Pure: evidence in, complaints out. No complaint means that every task that was ever launched ran at most once, was told
to have ended exactly once and truthfully, and that nothing is left of any. FILE is an evidence.json that a run has left.
"""

import collections
import dataclasses
import json
import sys
from pathlib import Path

from ledger import TERMINAL

# An agent that dies may take with it what it was about to say, and this long after it the next one takes over.
SILENCE_SECONDS = 5
NEVER_WAS = ("refused", "gave_up")
SIGNS_OF_NO_LIFE = ("TASK_UNKNOWN", "TASK_LOST", "TASK_DROPPED", "TASK_GONE")


@dataclasses.dataclass
class Fault:
    kind: str          # "agent-power", as in faults.py
    host: str
    at: float
    until: float = 0   # healed
    task: str = ""     # whose supervisor was killed

    @property
    def is_power_cut(self):
        """Of a host that runs tasks."""
        return self.kind.startswith("agent-power")


@dataclasses.dataclass
class Entry:
    """A line of an agent's journal about a task."""
    at: float
    host: str
    what: str          # "started" or "ended"
    task: str


@dataclasses.dataclass
class Evidence:
    ledgers: dict      # framework -> records, see ledger.py
    ran: dict          # host -> lines "TASK TIME start" and "TASK TIME end STATUS"
    journal: list      # of Entry
    faults: list       # of Fault
    left_over: list    # sentences about what is still there though everything has ended


class Story:
    """Everything that is known of one task."""

    def __init__(self, task, framework):
        self.task, self.framework = task, framework
        self.launches, self.updates, self.answers = [], [], []
        self.starts, self.ends, self.journal = [], [], []

    def __str__(self):
        states = " ".join(update["state"].removeprefix("TASK_") for update in self.updates)
        return f"{self.task} (told: {states or 'nothing'}; {len(self.starts)} starts, {len(self.ends)} ends)"

    @property
    def terminals(self):
        return [update for update in self.updates if update["state"] in TERMINAL]

    @property
    def told_at(self):
        """When its framework heard its end first; never: the end of time."""
        return min((update["at"] for update in self.terminals), default=float("inf"))

    @property
    def was_killed(self):
        """By its framework."""
        return any(answer["what"] == "kill" for answer in self.answers)

    @property
    def is_nothing(self):
        """To its framework: the launch was refused, or the master knows nothing of it."""
        return any(answer["what"] in NEVER_WAS for answer in self.answers)

    def ended_with(self, status):
        return any(end[2] == status for end in self.ends)


def stories(evidence):
    """One for each task that was launched, and for each that ran without."""
    told = {}
    for framework, records in evidence.ledgers.items():
        for record in records:
            if "task" in record:
                _note(told.setdefault(record["task"], Story(record["task"], framework)), record)
    for host, lines in evidence.ran.items():
        for line in lines:
            task, at, what, *status = line.split()
            story = told.setdefault(task, Story(task, None))
            if what == "start":
                story.starts.append((float(at), host))
            else:
                story.ends.append((float(at), host, int(status[0])))
    for entry in evidence.journal:
        told.setdefault(entry.task, Story(entry.task, None)).journal.append(entry)
    return told


def _note(story, record):
    if record["what"] == "launch":
        story.launches.append(record)
    elif record["what"] == "update":
        story.updates.append(record)
    else:
        story.answers.append(record)


def complaints(evidence):
    found = list(evidence.left_over)
    for story in stories(evidence).values():
        for rule in RULES:
            found += [f"{story}: {sentence}" for sentence in rule(story, evidence)]
    for framework, records in evidence.ledgers.items():
        if not any(record["what"] == "drained" for record in records):
            found.append(f"{framework} has not come to the end of its work")
    return found


# Rules: each gives sentences about what is wrong with a story


def somebody_launched_it(story, _):
    if not story.launches:
        yield "nobody has launched it"
    if len(story.launches) > 1:
        yield "launched twice under one id"


def it_ran_at_most_once(story, _):
    if len(story.starts) > 1:
        yield f"started {len(story.starts)} times: {story.starts}"
    if len(story.ends) > len(story.starts):
        yield "ended more often than started"
    if {host for _, host, *_ in story.starts + story.ends} - {launch["host"] for launch in story.launches}:
        yield "ran on a host that it was not launched on"


def it_ended_once(story, _):
    states = {update["state"] for update in story.terminals if not _is_forgotten(update, story)}
    if len(states) > 1:
        yield f"told to have ended in several ways: {sorted(states)}"
    if len({update["uuid"] for update in story.terminals if update.get("uuid")}) > 1:
        yield "its end was told as two events"
    if not states and not story.is_nothing:
        yield "nobody was told what became of it"


def _is_forgotten(update, story):
    """Who asks again for a task whose end is acknowledged is told that nobody knows it any more."""
    is_answer = update.get("reason") == "REASON_RECONCILIATION"
    return update["state"] == "TASK_GONE" and is_answer and update["at"] > story.told_at


def nothing_comes_after_the_end(story, evidence):
    before = {update.get("uuid") for update in story.updates if update["at"] <= story.told_at}
    for update in story.updates:
        if update["at"] > story.told_at and update["state"] not in TERMINAL and update.get("uuid") not in before:
            yield f"told to be {update['state']} after its end"
    # What came before it was given up is no sign of life.
    over_at = min((answer["at"] for answer in story.answers if answer["what"] in NEVER_WAS), default=float("inf"))
    if story.is_nothing and (story.starts and not ended_by_force(story, evidence) or any(
            update["at"] > over_at and update["state"] not in SIGNS_OF_NO_LIFE for update in story.updates)):
        yield "it lives although its framework was told that it does not"


def its_end_is_the_truth(story, evidence):
    by_itself = any(update.get("source") == "SOURCE_EXECUTOR" for update in story.terminals)
    for update in story.terminals:
        state = update["state"]
        if _is_forgotten(update, story):
            continue
        if state == "TASK_FINISHED":
            if not story.ended_with(0):
                yield "told to be finished, and is not"
        elif state == "TASK_FAILED" and by_itself:
            if not story.ended_with(3):
                yield "told to have failed by itself, and has not"
        elif state == "TASK_KILLED":
            if not story.was_killed:
                yield "killed, and its framework did not ask for it"
        elif state == "TASK_ERROR":
            yield f"refused: {update.get('message')}"
        elif story.starts and not ended_by_force(story, evidence):
            yield f"lost: told to be {state} ({update.get('message')}), and nothing had happened to it"


def ended_by_force(story, evidence):
    """Its supervisor was killed, or the power of its host was cut, since it had started and before its end was told."""
    began, host = story.starts[0]
    return any(fault.task == story.task or (fault.is_power_cut and fault.host == host
                                            and began <= fault.until and fault.at <= story.told_at)
               for fault in evidence.faults)


def the_journal_tells_the_same(story, evidence):
    """Of each task that ran, once, start and end, on its host; of no other a start."""
    for what, real in (("started", story.starts), ("ended", story.ends)):
        lines = [entry for entry in story.journal if entry.what == what]
        if len(lines) > 1 and not any(agent_was_away(evidence, line.host, line.at) for line in lines):
            yield f"the journal tells {len(lines)} times that it has {what}"
        if what == "started" and lines and not real and not story.was_killed and not _cut_in_the_act(lines, evidence):
            yield "the journal tells that it has started, and it has not"
        for at, host, *_ in real:
            if not lines and not agent_was_away(evidence, host, at):
                yield f"the journal of {host} does not tell that it has {what}"
            if any(line.host != host for line in lines):
                yield "another host's journal tells of it"


def _cut_in_the_act(lines, evidence):
    """Killed with its supervisor, or by a power cut, before its first command."""
    return any(fault.task == line.task or (fault.is_power_cut and fault.host == line.host
                                           and abs(fault.at - line.at) < SILENCE_SECONDS)
               for line in lines for fault in evidence.faults)


def agent_was_away(evidence, host, at):
    """Whether the agent on this host was killed, or could not write, about then."""
    return any(fault.host == host and fault.kind.startswith("agent-")
               and fault.at - SILENCE_SECONDS <= at <= max(fault.at, fault.until) + SILENCE_SECONDS
               for fault in evidence.faults)


RULES = [somebody_launched_it, it_ran_at_most_once, it_ended_once, nothing_comes_after_the_end, its_end_is_the_truth,
         the_journal_tells_the_same]


def summary(evidence):
    """What the run was made of, for people."""
    told = stories(evidence).values()
    by_state = collections.Counter(story.terminals[0]["state"] if story.terminals else
                                   "REFUSED or UNKNOWN" if story.is_nothing else "open" for story in told)
    repeats = sum(len(story.updates) - len({update.get("uuid") or id(update) for update in story.updates})
                  for story in told)
    never = sum(1 for story in told if not story.starts)
    states = ", ".join(f"{number} {state.removeprefix('TASK_')}" for state, number in by_state.most_common())
    return f"{len(told)} tasks launched: {states}; {never} of them never ran; {repeats} updates were told again"


def read(text):
    kept = json.loads(text)
    kept["journal"] = [Entry(**entry) for entry in kept["journal"]]
    kept["faults"] = [Fault(**fault) for fault in kept["faults"]]
    return Evidence(**kept)


if __name__ == "__main__":
    kept_evidence = read(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(summary(kept_evidence), *complaints(kept_evidence), sep="\n")
