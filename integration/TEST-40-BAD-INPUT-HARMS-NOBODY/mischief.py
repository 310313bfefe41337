"""What a framework can ask for in wrong ways, and what it must be told: tables first, then the code that tries them."""

import contextlib

from bedlib.scheduler import JSON, Scheduler, post, task
from bedlib.testing import wait_until

EMOJI, LONG, TOO_LONG = "task 🙂 größer", "x" * 255, "x" * 300

# id, the state that it ends in
TASK_IDS = [
    ("with spaces and, marks!", "TASK_FINISHED"), (EMOJI, "TASK_FINISHED"), (LONG, "TASK_FINISHED"),
    ("..hidden", "TASK_FINISHED"), ("%2e%2e", "TASK_FINISHED"), ("$(reboot)", "TASK_FINISHED"),
    ("-rf", "TASK_FINISHED"), ("🙂" * 63, "TASK_FINISHED"),
    ("a/b", "TASK_ERROR"), ("../../etc/passwd", "TASK_ERROR"), (".", "TASK_ERROR"), ("..", "TASK_ERROR"),
    ("", "TASK_ERROR"), (TOO_LONG, "TASK_ERROR"), ("🙂" * 64, "TASK_ERROR"), ("line\nbreak", "TASK_ERROR"),
    ("back\\slash", "TASK_ERROR"),
]
FRAMEWORK_NAMES = ["", "with spaces", "a/b/../c", EMOJI, TOO_LONG, "line\nbreak", "$(reboot) `id` %n \\x41"]
# role, words of the refusal; None where the role is served
ROLES = [("analytics/nightly", None), ("größe🙂", None), (LONG, None), (TOO_LONG, "longer than 255"), ("a b", "whitespace"),
         ("/a", "'/'"), ("a//b", "'//'"), ("a/../b", "'..'"), ("-a", "'-'"), ("*/a", "'*'")]
FRAMEWORK_IDS = [("mine 🙂", None), ("a/b", "framework id"), ("..", "framework id"), (TOO_LONG, "framework id"),
                 ("line\nbreak", "framework id")]
# what is changed in a good task; words of the message of its TASK_ERROR
TASKS = [
    ("more cpus than the offer has", {"cpus": 10_000}, {}, "more resources"),
    ("more memory than there is anywhere", {"mem": 1e12}, {}, "more resources"),
    ("nothing at all", {"cpus": 0, "mem": 0}, {}, "no resources"),
    ("less than nothing", {"cpus": -1}, {}, "invalid resources"),
    ("no command", {}, {"command": None}, "CommandInfo"),
    ("another agent than the offer's", {}, {"agent_id": {"value": "another"}}, "invalid agent"),
    ("a kill policy of the past", {}, {"kill_policy": {"grace_period": {"nanoseconds": -1}}}, "non-negative"),
    ("a check that checks nothing", {}, {"check": {}}, "'type'"),
]


@contextlib.contextmanager
def framework(address, name="mischief", **info):
    it = Scheduler(address, name, **info)
    try:
        yield it
    finally:
        if not it.closed:
            it.tear_down()


def task_failures(address):
    with framework(address) as it:
        for name, amounts, changes, words in TASKS:
            offer = it.take_offer()
            wrong = {key: value for key, value in (task(name, offer, **amounts) | changes).items() if value is not None}
            it.launch([offer], [wrong])
            status = it.last_status(name, {"TASK_ERROR"})
            if status["reason"] != "REASON_TASK_INVALID" or words not in status["message"] or "uuid" in status:
                yield f"a task with {name}: expected '{words}', got {status}"
        for name, end in TASK_IDS:
            offer = it.take_offer()
            it.launch([offer], [task(name, offer)])
            it.last_status(name, {end})
        offer = it.take_offer()
        it.launch([offer], [task("twin", offer, "sleep 1000"), task("twin", offer)])
        if "duplicate" not in it.last_status("twin", {"TASK_ERROR"})["message"]:
            yield "the second task of one id is not refused as a duplicate"


def offer_failures(address):
    """Offers that are used up, somebody else's or nobody's: the task is dropped, and the reason says why."""
    with framework(address, "owner") as owner, framework(address) as it:
        first, foreign = it.take_offer(), owner.take_offer()
        it.launch([first], [task("first use", first)])
        it.last_status("first use", {"TASK_FINISHED"})
        second = it.take_offer()
        invented = {"id": {"value": "no/such\noffer 🙂"}}
        for name, offers in [("used before", [first]), ("named twice", [second, second]), ("none", []),
                             ("invented", [invented]), ("another framework's", [foreign])]:
            it.launch(offers, [task(name, second)])
            status = it.last_status(name, {"TASK_DROPPED"})
            if status["reason"] != "REASON_INVALID_OFFERS" or status["source"] != "SOURCE_MASTER" or "uuid" in status:
                yield f"an offer that was {name}: {status}"
        if it.call("DECLINE", decline={"offer_ids": [invented["id"], foreign["id"]]})[0] != 202:
            yield "declining an unknown offer is not taken calmly"
        it.take_offer()  # what was refused comes back
        owner.launch([foreign], [task("still mine", foreign)])
        owner.last_status("still mine", {"TASK_FINISHED"})


def name_failures(address):
    for name in FRAMEWORK_NAMES:
        with framework(address, name) as it:
            if it.refusal:
                yield f"a framework of the name {name!r} was refused: {it.refusal}"
    cases = [({"role": role}, words) for role, words in ROLES]
    cases += [({"id": {"value": id}}, words) for id, words in FRAMEWORK_IDS]
    for info, words in cases:
        with framework(address, **info) as it:
            if bool(it.refusal) != bool(words) or words and words not in it.refusal:
                yield f"a framework with {info}: expected {words}, got {it.refusal}"
            if not it.refusal:
                offer = it.take_offer()
                it.launch([offer], [task("one", offer)])
                it.last_status("one", {"TASK_FINISHED"})


def stream_failures(address, neighbour):
    with framework(address, failover_timeout=60) as it:
        for stream_id in ("x", neighbour.stream_id, it.stream_id.upper() + "0", "🙂".encode().decode("latin-1")):
            if it.call("REVIVE", stream_id=stream_id)[0] != 400:
                yield f"the wrong stream id {stream_id!r} is not refused"
        if post(address, {"type": "REVIVE", "framework_id": {"value": it.id}})[0] != 400:
            yield "a call without a stream id is not refused"
        it.close()  # of which the master hears a moment later
        refused = (403, "Framework is not subscribed")
        wait_until("a call after the stream was closed to be refused", lambda: it.call("REVIVE") == refused, 10, pause=0.05)
        for call in ("TEARDOWN", "REVIVE"):
            status, text = post(address, {"type": call, "framework_id": {"value": "gone"}}, JSON | {
                "Mesos-Stream-Id": it.stream_id})
            if (status, text) != (400, "Framework cannot be found"):
                yield f"{call} of an unknown framework: {status} {text}"


def forged_acknowledgements(address):
    """Acknowledgements of what was never sent are taken and have no effect."""
    with framework(address) as it:
        offer = it.take_offer()
        it.launch([offer], [task("mine", offer, "sleep 1")])
        for uuid in ("AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w=="):
            status, text = it.call("ACKNOWLEDGE", acknowledge={
                "agent_id": offer["agent_id"], "task_id": {"value": "mine"}, "uuid": uuid})
            if status != 202:
                yield f"a forged acknowledgement: {status} {text}"
        it.last_status("mine", {"TASK_FINISHED"})


def failures(address, neighbour):
    yield from task_failures(address)
    yield from offer_failures(address)
    yield from name_failures(address)
    yield from stream_failures(address, neighbour)
    yield from forged_acknowledgements(address)
