"""The rules of the live engine, one by one and each at its edge, under simulated time.

Unless a test says otherwise the policy is I = 60 s, A = 3, T = 0 and the service is `push`.
"""

import re

import pytest

from model import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from simulation import simulation  # noqa: F401, the fixture

LATER = 1  # the microsecond by which a deadline is passed


@pytest.fixture
def live(simulation):
    simulation.reset()
    return simulation


def policy(interval, allowed_misses, tolerance):
    return {"interval": interval, "allowed_misses": allowed_misses, "tolerance": tolerance}


def started(facts):
    """When the incidents began that were opened."""
    return [fact.started_at for fact in facts if fact.word == "opened"]


def ended(facts):
    return [(fact.end, fact.ended_at) for fact in facts if fact.word == "closed"]


# Misses and alerts


@pytest.mark.parametrize("tolerance", [0, 10 * SECOND])
def test_alert_is_due_when_the_deadline_has_passed(live, tolerance):
    live.reset(tolerance=tolerance)
    live.happens("beat", "push", 0)
    deadline = 3 * MINUTE + tolerance
    assert live.show("push", 0).next_deadline == deadline
    assert live.happens("tick", deadline) == []
    [alert] = live.happens("tick", deadline + LATER)
    assert (alert.word, alert.name, alert.kind) == ("opened", "push", "silence")
    assert (alert.started_at, alert.raised_at) == (3 * MINUTE, deadline + LATER)
    assert (alert.missed_count, alert.last_seen) == (3, 0)


def test_late_when_the_first_deadline_has_passed(live):
    live.reset(tolerance=SECOND)
    live.happens("beat", "push", 0)
    assert live.happens("tick", MINUTE + SECOND) == []
    push = live.show("push", MINUTE + SECOND)
    assert (push.status, push.missed_count) == ("up", 0)
    assert live.happens("tick", MINUTE + SECOND + LATER) == []
    push = live.show("push", MINUTE + SECOND + LATER)
    assert (push.status, push.missed_count) == ("late", 1)


def test_heartbeat_in_time_puts_the_deadline_off(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 3 * MINUTE)
    assert live.happens("beat", "push", 3 * MINUTE) == []
    assert live.happens("tick", 6 * MINUTE) == []
    assert started(live.happens("tick", 6 * MINUTE + LATER)) == [6 * MINUTE]


def test_tick_tells_when_to_tick_next(live):
    """Whoever ticks when told raises the alert within milliseconds, after a few ticks in all."""
    live.happens("beat", "push", 0)
    now = 0
    for _ in range(20):
        *facts, answer = live.do("tick", now)
        if facts:
            break
        assert now < int(re.search(r"next=(\d+)", answer)[1])
        now = int(re.search(r"next=(\d+)", answer)[1])
    assert 3 * MINUTE < now <= 3 * MINUTE + 5 * MILLISECOND


def test_only_what_was_heard_is_judged(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 3 * MINUTE)
    assert live.answer("tick", 3 * MINUTE, 4 * MINUTE).endswith("wants_hearing=1")
    assert live.happens("beat", "push", 3 * MINUTE, 4 * MINUTE) == []
    assert live.happens("tick", 4 * MINUTE) == []


def test_all_that_is_due_is_raised(live):
    names = [f"service-{number}" for number in range(9000)]
    for first in range(0, len(names), 3000):
        live.happens("batch", 0, *(f"{name}:0" for name in names[first : first + 3000]))
    assert live.happens("tick", 3 * MINUTE) == []
    alerts = live.happens("tick", 3 * MINUTE + LATER)
    assert sorted(alert.name for alert in alerts) == sorted(names)


def test_raised_at_is_when_it_was_judged(live):
    live.happens("beat", "push", 0)
    [alert] = live.happens("tick", 4 * MINUTE, 5 * MINUTE)
    assert (alert.started_at, alert.raised_at) == (3 * MINUTE, 5 * MINUTE)


@pytest.mark.parametrize(
    "interval, answer",
    [
        (SECOND - MILLISECOND, "bad_interval"),
        (SECOND - 1, "bad_interval"),
        (SECOND, "ok"),
        (SECOND + 1, "bad_interval"),
        (SECOND + MILLISECOND, "ok"),
        (366 * DAY, "ok"),
        (366 * DAY + MILLISECOND, "bad_interval"),
        (0, "bad_interval"),
        (-MINUTE, "bad_interval"),
        (2**63 - 1, "bad_interval"),
        (-(2**63), "bad_interval"),
    ],
)
def test_intervals_are_a_second_or_more(live, interval, answer):
    live.happens("beat", "push", 0)
    assert live.do("change", "push", 0, interval=interval)[-1] == f"change {answer}"
    kept = interval if answer == "ok" else MINUTE
    assert live.show("push", 0).interval == kept


@pytest.mark.parametrize(
    "value, answer",
    [
        ({"allowed_misses": 0}, "bad_misses"),
        ({"allowed_misses": 1_000_000}, "ok"),
        ({"allowed_misses": 1_000_001}, "bad_misses"),
        ({"allowed_misses": 2**32 - 1}, "bad_misses"),
        ({"tolerance": -MILLISECOND}, "bad_tolerance"),
        ({"tolerance": 1}, "bad_tolerance"),
        ({"tolerance": 366 * DAY}, "ok"),
        ({"tolerance": 366 * DAY + MILLISECOND}, "bad_tolerance"),
        ({"max_runtime": -MILLISECOND}, "bad_runtime"),
        ({"max_runtime": 1}, "bad_runtime"),
        ({"max_runtime": MILLISECOND}, "ok"),
        ({"max_runtime": 366 * DAY}, "ok"),
        ({"max_runtime": 366 * DAY + MILLISECOND}, "bad_runtime"),
    ],
)
def test_bounds_of_a_policy(live, value, answer):
    live.happens("beat", "push", 0)
    before = live.show("push", 0)
    assert live.do("change", "push", 0, **value)[-1] == f"change {answer}"
    after = live.show("push", 0)
    if answer == "ok":
        assert after.values == {**before.values, **value, "declared": 1, **deadline_of(after)}
    else:
        assert after == before


def deadline_of(view):
    return {"next_deadline": view.next_deadline}


# Incidents


def test_repeats_are_counted_and_not_told(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 3 * MINUTE + LATER)
    assert live.happens("tick", DAY) == []
    for now, count, last in [
        (6 * MINUTE, 1, 3 * MINUTE),
        (6 * MINUTE + LATER, 2, 6 * MINUTE),
        (9 * MINUTE, 2, 6 * MINUTE),
        (9 * MINUTE + LATER, 3, 9 * MINUTE),
        (DAY + LATER, 480, DAY),
    ]:
        [incident] = live.happens("incidents", now)
        assert (incident.alert_count, incident.last_alert_at) == (count, last)
        assert (incident.repeats_known, incident.repeat_every) == (count, 3 * MINUTE)
        assert incident.started_at == 3 * MINUTE


def test_recovery(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 7 * MINUTE)
    [closed] = live.happens("beat", "push", 7 * MINUTE)
    assert (closed.word, closed.name, closed.end) == ("closed", "push", "recovered")
    assert (closed.started_at, closed.ended_at) == (3 * MINUTE, 7 * MINUTE)
    assert (closed.alert_count, closed.last_alert_at) == (2, 6 * MINUTE)
    assert live.show("push", 7 * MINUTE).status == "up"
    assert live.happens("tick", 10 * MINUTE) == []
    assert started(live.happens("tick", 10 * MINUTE + LATER)) == [10 * MINUTE]


def test_recovered_at_is_the_arrival(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 5 * MINUTE)
    assert ended(live.happens("beat", "push", 4 * MINUTE, 5 * MINUTE)) == [
        ("recovered", 5 * MINUTE)
    ]
    assert live.show("push", 5 * MINUTE).last_seen == 4 * MINUTE


@pytest.mark.parametrize("early, recovers", [(0, False), (1, True)])
def test_recovers_when_the_next_alert_lies_in_the_future(live, early, recovers):
    live.happens("beat", "push", 0)
    live.happens("tick", 10 * MINUTE)
    facts = live.happens("beat", "push", 7 * MINUTE + early, 10 * MINUTE)
    assert ended(facts) == ([("recovered", 10 * MINUTE)] if recovers else [])
    assert live.show("push", 10 * MINUTE).status == ("late" if recovers else "down")
    assert live.show("push", 10 * MINUTE).last_seen == 7 * MINUTE + early


def test_heartbeat_that_does_not_recover_moves_last_seen_alone(live):
    live.happens("beat", "push", 0)
    live.happens("tick", HOUR)
    assert live.happens("beat", "push", MINUTE, HOUR) == []
    push = live.show("push", HOUR)
    assert (push.status, push.last_seen) == ("down", MINUTE)
    assert push.incident.started_at == 3 * MINUTE
    assert ended(live.happens("beat", "push", HOUR)) == [("recovered", HOUR)]


# The sender's time


@pytest.mark.parametrize(
    "ahead, answer, last_seen",
    [
        (1, "ok", MINUTE),
        (5 * MINUTE, "ok", MINUTE),
        (5 * MINUTE + 1, "in_future", 0),
        (2**62, "in_future", 0),
    ],
)
def test_time_ahead_counts_as_now_up_to_5_minutes(live, ahead, answer, last_seen):
    live.happens("beat", "push", 0)
    assert live.answer("beat", "push", MINUTE + ahead, MINUTE) == answer
    assert live.show("push", MINUTE).last_seen == last_seen


def test_a_rejected_heartbeat_creates_nothing(live):
    assert live.answer("beat", "push", 5 * MINUTE + 1, 0) == "in_future"
    assert live.answer("show", "push", 0) == "unknown"


def test_an_older_heartbeat_changes_nothing(live):
    live.happens("beat", "push", 2 * MINUTE)
    before = live.show("push", 2 * MINUTE)
    for time in (2 * MINUTE, MINUTE, -DAY):
        assert live.answer("beat", "push", time, 2 * MINUTE) == "older"
    assert live.show("push", 2 * MINUTE) == before
    [figures] = map(fact_of, live.do("figures"))
    assert (figures["heartbeats"], figures["older"]) == (4, 3)


def fact_of(line):
    return {key: int(text) for key, text in (pair.split("=") for pair in line.split()[1:])}


def test_an_older_heartbeat_does_not_recover(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 5 * MINUTE)
    assert live.answer("beat", "push", 0, 5 * MINUTE) == "older"
    assert live.show("push", 5 * MINUTE).status == "down"


def test_a_batch_is_applied_whole_before_anything_is_judged(live):
    late = HOUR
    batch = [f"push:{minute * MINUTE}" for minute in (0, 50, 10, 59)]
    assert live.answer("batch", late, *batch) == "created ok older ok"
    assert live.happens("tick", late) == []
    assert live.show("push", late).last_seen == 59 * MINUTE


def test_a_batch_answers_for_each(live):
    batch = ["a:0", f"b:{5 * MINUTE + 1}", "A:1", "b:0", "a:0"]
    assert live.answer("batch", 0, *batch) == "created in_future older created older"


# Gaps


def gap(live, start, end, reason="stall"):
    """Records a gap; returns what happened beside it."""
    *facts, deaf = sorted(live.happens("gap", start, end, reason), key=lambda f: f.word == "deaf")
    assert deaf.values == {"from": start, "to": end, "reason": reason}
    return facts


@pytest.mark.parametrize(
    "interval, tolerance, early",
    [
        (MINUTE, 0, MINUTE),  # no more than the interval
        (MINUTE, 2 * MINUTE, MINUTE),
        (10 * MINUTE, 0, 5 * MINUTE),  # 5 minutes at least
        (10 * MINUTE, 4 * MINUTE, 5 * MINUTE),
        (10 * MINUTE, 6 * MINUTE, 6 * MINUTE),  # by the tolerance
        (DAY, HOUR, 6 * HOUR),  # a quarter of the interval
        (DAY, 7 * HOUR, 7 * HOUR),
    ],
)
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_gap_excuses_what_may_have_come_early_in_it(live, interval, tolerance, early, beyond):
    live.reset(**policy(interval, 1, tolerance))
    live.happens("beat", "push", 0)
    end = interval - early - beyond
    gap(live, end - min(end, SECOND), end)
    expected = interval if beyond else end + interval
    assert live.happens("tick", expected + tolerance) == []
    assert started(live.happens("tick", expected + tolerance + LATER)) == [expected]


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_gap_excuses_what_was_still_tolerated_when_it_began(live, beyond):
    live.reset(**policy(HOUR, 2, MINUTE))
    live.happens("beat", "push", 0)
    start = HOUR + MINUTE + beyond
    end = start + SECOND
    gap(live, start, end)
    assert live.show("push", end).missed_count == beyond
    # Not excused, it is the first of two; the second one is not excused, and as it was.
    alert = 2 * HOUR if beyond else end + 2 * HOUR
    assert live.happens("tick", alert + MINUTE) == []
    assert started(live.happens("tick", alert + MINUTE + LATER)) == [alert]


def test_a_gap_between_two_expected_heartbeats_changes_nothing(live):
    live.reset(**policy(HOUR, 1, 0))
    live.happens("beat", "push", 0)
    assert gap(live, MINUTE, 44 * MINUTE) == []
    assert live.happens("tick", HOUR) == []
    assert started(live.happens("tick", HOUR + LATER)) == [HOUR]


def test_misses_before_a_gap_stay_counted(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 2 * MINUTE + LATER)
    gap(live, 2 * MINUTE + LATER, 10 * MINUTE)
    push = live.show("push", 10 * MINUTE)
    assert (push.status, push.missed_count) == ("late", 2)
    assert live.happens("tick", 11 * MINUTE) == []
    assert started(live.happens("tick", 11 * MINUTE + LATER)) == [11 * MINUTE]


@pytest.mark.parametrize("before", [0, 1])
def test_what_was_due_before_a_gap_is_raised(live, before):
    live.happens("beat", "push", 0)
    facts = gap(live, 3 * MINUTE + before, HOUR)
    assert [(fact.started_at, fact.raised_at) for fact in facts] == [(3 * MINUTE, HOUR)] * before
    assert live.show("push", HOUR).status == ("down" if before else "late")


def test_alerts_raised_before_a_gap_stay(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 4 * MINUTE)
    assert gap(live, 4 * MINUTE, HOUR) == []
    assert live.happens("tick", 2 * HOUR) == []
    assert live.show("push", 2 * HOUR).incident.started_at == 3 * MINUTE


def test_repeats_across_a_gap(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 7 * MINUTE + LATER)  # alerts at 3 and 6, one miss more
    gap(live, 7 * MINUTE + LATER, HOUR)
    for now, count, last, known in [
        (HOUR, 2, None, 0),  # a repeat before the gap is counted, and its time not kept
        (HOUR + 2 * MINUTE, 2, None, 0),
        (HOUR + 2 * MINUTE + LATER, 3, HOUR + 2 * MINUTE, 1),
        (HOUR + 5 * MINUTE + LATER, 4, HOUR + 5 * MINUTE, 2),
    ]:
        [incident] = live.happens("incidents", now)
        assert (incident.alert_count, incident.last_alert_at) == (count, last)
        assert incident.repeats_known == known
        assert incident.repeat_every == (3 * MINUTE if known else 0)


def test_repeats_across_many_gaps(live):
    """Each gap excuses what is expected near it, and no alert is lost or counted twice."""
    live.reset(**policy(MINUTE, 2, 0))
    live.happens("beat", "push", 0)
    now, misses = 0, 0
    for _ in range(20):
        live.happens("tick", now + 3 * MINUTE + LATER)
        misses += 3
        gap(live, now + 3 * MINUTE + LATER, now + 10 * MINUTE)
        now += 10 * MINUTE
        [incident] = live.happens("incidents", now)
        assert incident.alert_count == misses // 2


@pytest.mark.parametrize("order", ["heard first", "with the gap"])
def test_what_waited_is_heard_before_anything_is_judged(live, order):
    """Stopped from 0:30 to 1:00:00; what was sent meanwhile lies in the socket."""
    live.happens("beat", "push", 0)
    live.happens("tick", 30 * SECOND)
    if order == "heard first":
        assert live.answer("beat", "push", HOUR) == "ok"
    assert gap(live, 30 * SECOND, HOUR) == []
    if order == "with the gap":
        assert live.answer("beat", "push", HOUR) == "ok"
    assert live.happens("tick", HOUR + 3 * MINUTE) == []
    assert started(live.happens("tick", HOUR + 3 * MINUTE + LATER)) == [HOUR + 3 * MINUTE]


def test_a_heartbeat_delivered_after_a_gap_with_its_own_time(live):
    """A sender that buffers delivers what was before the gap; what came later is still excused."""
    live.reset(**policy(MINUTE, 1, 0))
    live.happens("beat", "push", 0)
    gap(live, 5 * SECOND, HOUR)
    assert live.answer("beat", "push", 30 * MINUTE, HOUR + SECOND) == "ok"
    assert live.happens("tick", HOUR + MINUTE) == []
    assert started(live.happens("tick", HOUR + MINUTE + LATER)) == [HOUR + MINUTE]


def test_a_heartbeat_delivered_after_a_gap_from_before_it(live):
    """After the last one known none was expected in the gap; after this one, one was."""
    live.reset(**policy(HOUR, 3, 0))
    live.happens("beat", "push", 0)
    live.happens("tick", 61 * MINUTE)
    gap(live, 61 * MINUTE, 62 * MINUTE)
    assert live.show("push", 62 * MINUTE).next_deadline == 3 * HOUR
    live.happens("beat", "push", 10 * MINUTE, 63 * MINUTE)
    assert live.happens("tick", 62 * MINUTE + 3 * HOUR) == []
    assert started(live.happens("tick", 62 * MINUTE + 3 * HOUR + LATER)) == [62 * MINUTE + 3 * HOUR]


def test_two_gaps_within_one_interval(live):
    """After the first one nothing is known of the phase: the second may hide any heartbeat."""
    live.reset(**policy(HOUR, 1, 0))
    live.happens("beat", "push", 0)
    gap(live, 50 * MINUTE, 55 * MINUTE)
    gap(live, 59 * MINUTE, 61 * MINUTE)  # the heartbeat of 1:00 is lost
    assert live.happens("tick", 2 * HOUR) == []
    assert live.happens("beat", "push", 2 * HOUR) == []
    assert live.happens("tick", 3 * HOUR) == []


@pytest.mark.parametrize("count", [7, 8, 9, 255, 256, 257])
def test_a_service_that_nobody_looks_at_through_many_gaps(live, count):
    """The last gap hides a heartbeat, and is taken into account however many came before it."""
    live.reset(**policy(7 * DAY, 1, 0))
    live.happens("beat", "push", 0)
    for number in range(1, count):
        gap(live, number * MINUTE, number * MINUTE + SECOND)
    gap(live, 6 * DAY, 8 * DAY)
    assert live.happens("tick", 14 * DAY) == []


@pytest.mark.parametrize("reason", ["restart", "stall", "suspend"])
def test_gaps_are_kept(live, reason):
    for number in range(11):
        gap(live, number * MINUTE, number * MINUTE + SECOND, reason)
    kept = live.happens("gaps")
    assert [fact.values["from"] for fact in kept] == [n * MINUTE for n in range(3, 11)]
    assert {fact.reason for fact in kept} == {reason}


def test_gaps_outlive_the_program(live):
    gap(live, 0, MINUTE, "stall")
    live.happens("restart", HOUR, 2 * HOUR)
    assert [(f.values["from"], f.to, f.reason) for f in live.happens("gaps")] == [
        (0, MINUTE, "stall"),
        (HOUR, 2 * HOUR, "restart"),
    ]


def test_a_service_that_was_seen_after_a_gap_is_not_excused_by_it(live):
    live.reset(**policy(MINUTE, 1, 0))
    live.happens("beat", "push", 0)
    live.happens("tick", 30 * SECOND)
    assert live.answer("beat", "push", 100 * SECOND, 110 * SECOND) == "ok"
    gap(live, 30 * SECOND, 100 * SECOND)
    assert live.happens("tick", 160 * SECOND) == []
    assert started(live.happens("tick", 160 * SECOND + LATER)) == [160 * SECOND]


def test_an_alert_at_the_latest_after_twice_the_reach_of_listening(live):
    """I = 1 h, A = 1, T = 0: a gap of 10 minutes every 50 excuses everything for ever."""
    live.reset(**policy(HOUR, 1, 0))
    live.happens("beat", "push", 0)
    now = 0
    while now < 2 * HOUR:
        gap(live, now + 50 * MINUTE, now + HOUR)
        now += HOUR
        assert live.show("push", now).status == "up"
    # 100 minutes of 120 were listened to; 20 are left.
    assert live.show("push", now).next_deadline == now + 20 * MINUTE
    assert live.happens("tick", now + 20 * MINUTE) == []
    [alert] = live.happens("tick", now + 20 * MINUTE + LATER)
    assert (alert.started_at, alert.missed_count) == (now + 20 * MINUTE, 1)
    assert (alert.kind, alert.last_seen) == ("silence", 0)


def test_repeats_after_an_alert_by_listening(live):
    """The count starts again at the alert."""
    test_an_alert_at_the_latest_after_twice_the_reach_of_listening(live)
    alert = 2 * HOUR + 20 * MINUTE
    for now, count in [(alert + HOUR, 1), (alert + HOUR + LATER, 2), (alert + 9 * HOUR + 1, 10)]:
        [incident] = live.happens("incidents", now)
        assert incident.alert_count == count
        assert incident.last_alert_at == alert + (count - 1) * HOUR


# Worked examples


def test_a_gap_does_not_alert_a_service_that_beats_early(live):
    """I = 60 s, beating every 45 s; deaf from 40 s to 50 s, so that the one at 45 s is lost."""
    live.reset(**policy(MINUTE, 1, 0))
    live.happens("beat", "push", 0)
    live.happens("tick", 40 * SECOND)
    assert gap(live, 40 * SECOND, 50 * SECOND) == []
    for beat in range(90 * SECOND, HOUR, 45 * SECOND):
        assert live.happens("tick", beat) == []
        assert live.answer("beat", "push", beat) == "ok"


def listened(now, gaps):
    """How long Kairós has listened from 0 to NOW."""
    return now - sum(max(0, min(end, now) - start) for start, end in gaps)


def dead_service_is_found(live, interval, allowed_misses, tolerance, gaps):
    """Last seen at 0: returns when it is alerted, within twice the reach of listening."""
    bound = 2 * (allowed_misses * interval + tolerance)
    live.reset(**policy(interval, allowed_misses, tolerance))
    live.happens("beat", "push", 0)
    past = []
    for start, end in gaps:
        if facts := live.happens("tick", start):
            [alert] = facts
            assert listened(alert.started_at, past) <= bound
            return alert.started_at
        assert listened(start, past) <= bound
        restart = live.happens("restart", start, end)
        assert [fact.word for fact in restart] == ["deaf"]
        past.append((start, end))
    pytest.fail("it is never found")


def test_a_dead_daily_job_with_a_restart_every_night(live):
    """Last seen at 03:00 (here 0); restarts at 03:30 take a minute."""
    nights = [(day * DAY + 30 * MINUTE, day * DAY + 31 * MINUTE) for day in range(10)]
    assert dead_service_is_found(live, DAY, 1, HOUR, nights) < 3 * DAY


def test_a_dead_service_with_a_gap_in_each_tolerance(live):
    """I = 60 s, T = 30 min, a gap of 2 s every 30 minutes."""
    gaps = [(n * 30 * MINUTE, n * 30 * MINUTE + 2 * SECOND) for n in range(1, 20)]
    assert dead_service_is_found(live, MINUTE, 1, 30 * MINUTE, gaps) < 2 * HOUR
    assert dead_service_is_found(live, MINUTE, 3, 30 * MINUTE, gaps) < 2 * HOUR


def test_a_job_that_hangs_every_night_with_a_restart_every_night(live):
    """It is started at 03:00 (here 0) and never ends; each restart forgets the run."""
    live.reset(**policy(DAY, 1, HOUR))
    live.happens("beat", "push", 0)
    live.happens("change", "push", 0, max_runtime=2 * HOUR)
    for day in range(1, 10):
        if facts := live.happens("tick", day * DAY):
            break
        live.happens("ping", "push", "start", day * DAY)
        live.happens("restart", day * DAY + 30 * MINUTE, day * DAY + 31 * MINUTE)
    assert started(facts) and day < 5


# Restarts


@pytest.mark.parametrize("down", [0, 10 * MINUTE, 3 * DAY])
def test_a_restart_forgets_nothing(live, down):
    live.happens("beat", "seen", 0)
    live.happens("beat", "down", -HOUR, 0)
    live.happens("beat", "paused", 0)
    live.happens("pause", "paused", 0)
    live.happens("change", "new", 0, create=1, interval=5 * MINUTE, tolerance=SECOND)
    live.happens("change", "seen", 0, allowed_misses=7, max_runtime=HOUR)
    live.happens("beat", "n" * 100, 0)
    live.happens("tick", SECOND)
    before = {view.name: view for view in live.happens("list", "all", SECOND)}
    [told] = live.happens("incidents", SECOND)
    facts = live.happens("restart", SECOND, SECOND + down)
    assert [fact.word for fact in facts] == (["opened", "deaf"] if down else ["opened"])
    assert facts[0].values == told.values
    after = {view.name: view for view in live.happens("list", "all", SECOND + down)}
    moved = ("next_deadline", "missed_count")
    for name, view in before.items():
        for key in view.values:
            assert down and key in moved or view.values[key] == after[name].values[key], key


def test_a_restart_forgets_no_name(live):
    names = ["n" * length for length in range(1, 101)]
    live.happens("batch", 0, *(f"{name}:0" for name in names))
    live.happens("restart", 0, 0)
    assert sorted(view.name for view in live.happens("list", "up", 0)) == names
    assert live.happens("batch", 1, *(f"{name}:1" for name in names)) == []
    assert live.do("list", "up", 1)[-1] == "list 100"


def test_a_restart_does_not_judge(live):
    live.happens("beat", "push", 0)
    assert live.happens("restart", HOUR, HOUR) == []
    assert started(live.happens("tick", HOUR)) == [3 * MINUTE]


def test_what_was_due_before_a_restart_is_raised_after_it(live):
    live.happens("beat", "push", 0)
    facts = live.happens("restart", 3 * MINUTE + LATER, HOUR)
    assert started(facts) == [3 * MINUTE]


def test_incidents_are_told_again_after_a_restart(live):
    live.happens("beat", "push", 0)
    [alert] = live.happens("tick", 10 * MINUTE)
    [again] = live.happens("restart", 11 * MINUTE, 11 * MINUTE)
    key = ("word", "name", "kind", "started_at", "last_seen", "missed_count")
    assert [getattr(again, word) for word in key] == [getattr(alert, word) for word in key]
    [incident] = live.happens("incidents", 11 * MINUTE)
    assert (incident.alert_count, incident.last_alert_at) == (3, 9 * MINUTE)
    assert ended(live.happens("beat", "push", 11 * MINUTE)) == [("recovered", 11 * MINUTE)]


def test_a_restart_right_after_a_gap(live):
    """What the gap excused is excused although nobody has looked at the service since."""
    live.reset(**policy(SECOND, 600, 0))
    live.happens("batch", 0, "alive:0", f"dead:{-HOUR}")
    live.happens("tick", 0)
    gap(live, LATER, 10 * MINUTE)
    [before] = live.happens("incidents", 10 * MINUTE)
    [again] = live.happens("restart", 10 * MINUTE, 10 * MINUTE)
    assert (before.alert_count, again.alert_count) == (6, 6)
    live.happens("tick", 10 * MINUTE)
    alive = live.show("alive", 10 * MINUTE)
    assert (alive.status, alive.missed_count) == ("up", 0)


# Changes


@pytest.mark.parametrize(
    "now, expected",
    [
        (20 * SECOND, 30 * SECOND),  # a + I', which lies ahead
        (30 * SECOND, 30 * SECOND),
        (31 * SECOND, 31 * SECOND),  # C
    ],
)
def test_a_shorter_interval_is_expected_from_the_change_on(live, now, expected):
    live.happens("beat", "push", 0)
    live.happens("change", "push", now, interval=30 * SECOND)
    alert = expected + MINUTE  # the third one
    assert live.happens("tick", alert) == []
    assert started(live.happens("tick", alert + LATER)) == [alert]


def test_a_longer_interval_is_expected_after_the_last_heartbeat(live):
    live.happens("beat", "push", 0)
    live.happens("change", "push", 30 * SECOND, interval=HOUR)
    assert live.happens("tick", 3 * HOUR) == []
    assert started(live.happens("tick", 3 * HOUR + LATER)) == [3 * HOUR]


def test_misses_stay_counted_by_a_new_policy(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 2 * MINUTE + LATER)
    live.happens("change", "push", 2 * MINUTE + LATER, interval=HOUR)
    assert live.show("push", 2 * MINUTE + LATER).missed_count == 2
    assert live.happens("tick", HOUR) == []
    assert started(live.happens("tick", HOUR + LATER)) == [HOUR]


def test_fewer_allowed_misses_than_were_missed_raise_an_alert(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 2 * MINUTE + LATER)
    now = 2 * MINUTE + 30 * SECOND
    assert live.happens("tick", now) == []
    live.happens("change", "push", now, allowed_misses=2)
    [alert] = live.happens("tick", now + LATER)
    assert (alert.kind, alert.missed_count, alert.last_seen) == ("silence", 2, 0)
    assert alert.started_at == now - MINUTE  # from where heartbeats are expected anew
    assert live.show("push", now + LATER).incident.alert_count == 1


def test_the_same_policy_once_more_changes_nothing(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 2 * MINUTE + LATER)
    before = live.show("push", 2 * MINUTE + LATER)
    same = policy(MINUTE, 3, 0)
    live.happens("change", "push", 2 * MINUTE + LATER, **same, max_runtime=0)
    live.happens("change", "push", 2 * MINUTE + LATER, replace=1)
    live.happens("change", "push", 2 * MINUTE + LATER)
    assert live.show("push", 2 * MINUTE + LATER).values == {**before.values, "declared": 1}
    assert started(live.happens("tick", 3 * MINUTE + LATER)) == [3 * MINUTE]


def test_a_new_policy_in_an_incident(live):
    """Alerts so far are kept, and so are the misses after the last one."""
    live.happens("beat", "push", 0)
    live.happens("tick", 7 * MINUTE + LATER)  # 3, 6, and one miss
    now = 7 * MINUTE + 30 * SECOND
    live.happens("change", "push", now, interval=10 * MINUTE)
    for time, count in [(17 * MINUTE, 2), (20 * MINUTE, 2), (20 * MINUTE + LATER, 3)]:
        [incident] = live.happens("incidents", time)
        assert incident.alert_count == count
    assert (incident.last_alert_at, incident.started_at) == (20 * MINUTE, 3 * MINUTE)


def test_replacing_takes_the_default_for_what_is_not_said(live):
    live.happens("change", "push", 0, create=1, interval=HOUR, tolerance=SECOND, max_runtime=DAY)
    live.happens("change", "push", 0, replace=1, allowed_misses=5)
    push = live.show("push", 0)
    assert (push.interval, push.allowed_misses, push.tolerance) == (MINUTE, 5, 0)
    assert push.max_runtime == 0


def test_a_declared_service_that_never_beat_stays_new(live):
    assert live.do("change", "push", 0)[-1] == "change unknown"
    assert live.do("change", "push", 0, create=1)[-1] == "change created"
    assert live.do("change", "push", 0, create=1)[-1] == "change ok"
    assert live.happens("tick", 300 * DAY) == []
    push = live.show("push", 300 * DAY)
    assert (push.status, push.last_seen, push.next_deadline) == ("new", None, None)
    assert (push.declared, push.missed_count) == (1, 0)
    assert live.answer("beat", "push", 300 * DAY) == "ok"
    assert started(live.happens("tick", 301 * DAY)) == [300 * DAY + 3 * MINUTE]


def test_a_heartbeat_delivered_late_does_not_undo_a_change(live):
    live.reset(**policy(DAY, 3, 0))
    live.happens("beat", "push", 0)
    live.happens("change", "push", 12 * HOUR, interval=MINUTE)
    live.happens("beat", "push", 6 * HOUR, 12 * HOUR + 30 * SECOND)
    assert live.happens("tick", 12 * HOUR + 2 * MINUTE) == []
    assert started(live.happens("tick", 12 * HOUR + 2 * MINUTE + LATER)) == [
        12 * HOUR + 2 * MINUTE
    ]


def test_pausing_closes_the_incident_and_raises_nothing(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 4 * MINUTE)
    assert ended(live.happens("pause", "push", 5 * MINUTE)) == [("paused", 5 * MINUTE)]
    push = live.show("push", 5 * MINUTE)
    assert (push.status, push.incident, push.next_deadline) == ("paused", None, None)
    assert live.happens("tick", DAY) == []


def test_a_heartbeat_to_a_paused_service_is_recorded_only(live):
    live.happens("beat", "push", 0)
    live.happens("pause", "push", MINUTE)
    for now, operation in enumerate(("heartbeat", "fail", "log", "start"), 1):
        assert live.answer("ping", "push", operation, HOUR + now) == "ok"
    push = live.show("push", HOUR + 9)
    assert push.status == "paused" and push.last_seen in (HOUR + 1, HOUR + 2)
    assert live.happens("tick", DAY) == []


@pytest.mark.parametrize(
    "now, expected", [(30 * SECOND, MINUTE), (MINUTE, MINUTE), (MINUTE + 1, MINUTE + 1), (DAY, DAY)]
)
def test_a_resume_expects_heartbeats_from_then_on(live, now, expected):
    live.happens("beat", "push", 0)
    live.happens("pause", "push", 0)
    live.happens("resume", "push", now)
    alert = expected + 2 * MINUTE
    assert live.happens("tick", alert) == []
    assert started(live.happens("tick", alert + LATER)) == [alert]


def test_a_resume_clears_misses(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 2 * MINUTE + LATER)
    live.happens("pause", "push", 2 * MINUTE + LATER)
    live.happens("resume", "push", 3 * MINUTE)
    live.happens("tick", 3 * MINUTE)
    push = live.show("push", 3 * MINUTE)
    assert (push.status, push.missed_count, push.next_deadline) == ("up", 0, 5 * MINUTE)


def test_resuming_what_is_not_paused_changes_nothing(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 2 * MINUTE + LATER)
    live.happens("resume", "push", 2 * MINUTE + LATER)
    assert started(live.happens("tick", 3 * MINUTE + LATER)) == [3 * MINUTE]


def test_pausing_twice_changes_nothing(live):
    live.happens("beat", "push", 0)
    live.happens("pause", "push", MINUTE)
    assert live.do("pause", "push", 2 * MINUTE)[-1] == "pause ok"
    assert live.show("push", 2 * MINUTE).status == "paused"


def test_a_pause_ends_a_run(live):
    live.happens("change", "push", 0, create=1, max_runtime=HOUR)
    live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", 0)
    live.happens("pause", "push", MINUTE)
    live.happens("resume", "push", 2 * HOUR)
    assert started(live.happens("tick", 2 * HOUR + MINUTE)) == []


def test_deleting_closes_the_incident(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 4 * MINUTE)
    assert ended(live.happens("delete", "push", 5 * MINUTE)) == [("deleted", 5 * MINUTE)]
    assert live.answer("show", "push", 5 * MINUTE) == "unknown"
    assert live.answer("delete", "push", 5 * MINUTE) == "unknown"
    assert live.happens("tick", DAY) == []


def test_a_deleted_service_reappears_with_its_next_heartbeat(live):
    live.happens("change", "push", 0, create=1, interval=HOUR)
    live.happens("beat", "push", 0)
    live.happens("delete", "push", MINUTE)
    assert live.answer("beat", "push", 2 * MINUTE) == "created"
    push = live.show("push", 2 * MINUTE)
    assert (push.declared, push.interval, push.status) == (0, MINUTE, "up")
    assert started(live.happens("tick", DAY)) == [5 * MINUTE]


def test_a_deleted_service_reappears_with_an_older_heartbeat(live):
    live.happens("beat", "push", HOUR)
    live.happens("delete", "push", HOUR)
    assert live.answer("beat", "push", MINUTE, HOUR) == "created"
    assert live.show("push", HOUR).last_seen == MINUTE


# What services say beside heartbeats


def test_a_fail_opens_an_incident(live):
    live.happens("beat", "push", 0)
    [alert] = live.happens("ping", "push", "fail", MINUTE)
    assert (alert.word, alert.kind, alert.missed_count) == ("opened", "fail", 0)
    assert (alert.started_at, alert.raised_at, alert.last_seen) == (MINUTE, MINUTE, MINUTE)
    push = live.show("push", MINUTE)
    assert (push.status, push.last_seen) == ("down", MINUTE)


def test_a_fail_of_a_service_that_never_beat(live):
    [alert] = live.happens("ping", "push", "fail", MINUTE)
    assert (alert.kind, alert.last_seen) == ("fail", MINUTE)
    assert ended(live.happens("beat", "push", 2 * MINUTE)) == [("recovered", 2 * MINUTE)]


def test_further_fails_only_count(live):
    live.happens("ping", "push", "fail", 0)
    for now in (1, 2, MINUTE):
        assert live.happens("ping", "push", "fail", now) == []
    [incident] = live.happens("incidents", MINUTE)
    assert (incident.fails, incident.started_at, incident.alert_count) == (3, 0, 1)
    assert live.show("push", MINUTE).last_seen == MINUTE


def test_a_fail_in_a_silence_only_counts(live):
    live.happens("beat", "push", 0)
    live.happens("tick", 4 * MINUTE)
    assert live.happens("ping", "push", "fail", 5 * MINUTE) == []
    [incident] = live.happens("incidents", 5 * MINUTE)
    assert (incident.kind, incident.fails, incident.started_at) == ("silence", 1, 3 * MINUTE)


def test_a_fail_repeats_while_the_service_is_silent(live):
    live.happens("ping", "push", "fail", 0)
    for now, count in [(3 * MINUTE, 1), (3 * MINUTE + LATER, 2), (9 * MINUTE + LATER, 4)]:
        [incident] = live.happens("incidents", now)
        assert incident.alert_count == count
        assert incident.last_alert_at == (count - 1) * 3 * MINUTE


def test_a_heartbeat_recovers_from_a_fail(live):
    live.happens("ping", "push", "fail", 0)
    assert ended(live.happens("ping", "push", "heartbeat", 1)) == [("recovered", 1)]
    assert live.show("push", 1).status == "up"


def test_a_heartbeat_of_the_time_of_a_fail_does_not_recover(live):
    live.happens("ping", "push", "fail", MINUTE)
    assert live.answer("beat", "push", MINUTE) == "older"
    assert live.show("push", MINUTE).status == "down"


def test_a_start_is_no_heartbeat(live):
    live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", 2 * MINUTE)
    push = live.show("push", 2 * MINUTE)
    assert (push.last_seen, push.running_since) == (0, 2 * MINUTE)
    assert started(live.happens("tick", 3 * MINUTE + LATER)) == [3 * MINUTE]


def test_a_start_creates_a_new_service(live):
    assert live.answer("ping", "push", "start", 0) == "created"
    assert live.show("push", 0).status == "new"
    assert live.happens("tick", DAY) == []


def test_misses_are_not_judged_during_a_run(live):
    live.happens("beat", "push", 0)
    live.happens("change", "push", 0, max_runtime=HOUR)
    live.happens("ping", "push", "start", MINUTE)
    assert live.happens("tick", HOUR) == []
    push = live.show("push", HOUR)
    assert (push.status, push.next_deadline) == ("up", HOUR + MINUTE)
    assert live.happens("beat", "push", HOUR + MINUTE) == []
    assert live.show("push", HOUR + MINUTE).running_since is None
    assert started(live.happens("tick", 2 * HOUR)) == [HOUR + 4 * MINUTE]


@pytest.mark.parametrize("seen", [True, False])
def test_an_overrun(live, seen):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    if seen:
        live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", MINUTE)
    assert live.happens("tick", 11 * MINUTE) == []
    [alert] = live.happens("tick", 11 * MINUTE + LATER)
    assert (alert.kind, alert.started_at, alert.missed_count) == ("overrun", 11 * MINUTE, 0)
    assert alert.last_seen == (0 if seen else None)
    [incident] = live.happens("incidents", DAY)  # which does not repeat
    assert (incident.alert_count, incident.repeat_every, incident.repeats_known) == (1, 0, 0)
    assert incident.last_alert_at == 11 * MINUTE
    assert ended(live.happens("beat", "push", DAY)) == [("recovered", DAY)]


def test_a_fail_ends_a_run(live):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("ping", "push", "start", 0)
    assert started(live.happens("ping", "push", "fail", MINUTE)) == [MINUTE]
    assert live.show("push", MINUTE).running_since is None
    assert live.happens("beat", "push", 2 * MINUTE)
    assert live.happens("tick", 5 * MINUTE) == []


@pytest.mark.parametrize("time, ends", [(MINUTE - 1, False), (MINUTE, True)])
def test_a_heartbeat_from_before_a_run_does_not_end_it(live, time, ends):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", MINUTE)
    assert live.answer("beat", "push", time, 2 * MINUTE) == "ok"
    push = live.show("push", 2 * MINUTE)
    assert (push.last_seen, push.running_since) == (time, None if ends else MINUTE)
    kinds = [fact.kind for fact in live.happens("tick", 11 * MINUTE + LATER)]
    assert kinds == (["silence"] if ends else ["overrun"])


def test_a_heartbeat_from_before_a_run_does_not_end_its_overrun(live):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("ping", "push", "start", MINUTE)
    live.happens("tick", 12 * MINUTE)
    assert live.answer("beat", "push", MINUTE - 1, 12 * MINUTE) == "ok"
    assert live.happens("tick", 20 * MINUTE) == []
    assert live.show("push", 20 * MINUTE).status == "down"
    assert ended(live.happens("beat", "push", 20 * MINUTE)) == [("recovered", 20 * MINUTE)]


def test_a_heartbeat_after_an_overrun_is_expected_from_its_own_time_on(live):
    """A success at 5:00 is delivered at 11:00: of A = 2 both are missed since, it is down still."""
    live.happens("change", "push", 0, create=1, allowed_misses=2, max_runtime=10 * MINUTE)
    live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", SECOND)
    live.happens("tick", 11 * MINUTE)
    assert live.happens("beat", "push", 5 * MINUTE, 11 * MINUTE) == []
    assert live.show("push", 11 * MINUTE).status == "down"
    assert ended(live.happens("beat", "push", 12 * MINUTE)) == [("recovered", 12 * MINUTE)]


def test_a_heartbeat_ends_a_run_whose_time_is_not_limited_yet(live):
    live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", SECOND)
    live.happens("beat", "push", 2 * SECOND)
    assert live.show("push", 2 * SECOND).running_since is None
    live.happens("change", "push", 3 * SECOND, max_runtime=SECOND)
    assert live.happens("tick", 4 * SECOND) == []


def test_a_start_of_the_time_of_a_heartbeat(live):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", 0)
    [alert] = live.happens("tick", 11 * MINUTE)
    assert alert.kind == "overrun"


def test_a_fail_in_the_overrun_of_a_service_that_never_beat(live):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("ping", "push", "start", 0)
    live.happens("tick", HOUR)
    assert live.happens("ping", "push", "fail", HOUR) == []
    [incident] = live.happens("incidents", 2 * HOUR)
    assert (incident.kind, incident.fails, incident.alert_count) == ("overrun", 1, 1)
    push = live.show("push", 2 * HOUR)
    assert (push.last_seen, push.running_since) == (HOUR, None)


def test_a_start_during_a_run_begins_another(live):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("ping", "push", "start", 0)
    live.happens("ping", "push", "start", MINUTE)
    assert live.happens("tick", 11 * MINUTE) == []
    assert started(live.happens("tick", 11 * MINUTE + LATER)) == [11 * MINUTE]


def test_a_run_whose_max_runtime_changes(live):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("ping", "push", "start", 0)
    live.happens("change", "push", MINUTE, max_runtime=5 * MINUTE)
    assert live.happens("tick", 5 * MINUTE) == []
    assert started(live.happens("tick", 5 * MINUTE + LATER)) == [5 * MINUTE]


@pytest.mark.parametrize("max_runtime", [10 * MINUTE, DAY])
@pytest.mark.parametrize("seen", [True, False])
def test_a_run_that_a_gap_cuts_is_forgotten(live, seen, max_runtime):
    live.happens("change", "push", 0, create=1, max_runtime=max_runtime)
    if seen:
        live.happens("beat", "push", 0)
    live.happens("ping", "push", "start", 0)
    assert gap(live, 5 * MINUTE, HOUR) == []
    push = live.show("push", HOUR)
    assert (push.running_since, push.next_deadline) == (None, HOUR + 3 * MINUTE if seen else None)
    assert started(live.happens("tick", 2 * HOUR)) == ([HOUR + 3 * MINUTE] if seen else [])


@pytest.mark.parametrize("before", [0, 1])
def test_an_overrun_that_was_due_before_a_gap(live, before):
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("ping", "push", "start", 0)
    assert started(gap(live, 10 * MINUTE + before, HOUR)) == ([10 * MINUTE] if before else [])


def test_a_run_that_began_after_a_gap_is_not_forgotten(live):
    """What waited is heard before the gap is recorded."""
    live.happens("change", "push", 0, create=1, max_runtime=10 * MINUTE)
    live.happens("beat", "push", 0)
    live.happens("tick", MINUTE)
    live.happens("ping", "push", "start", HOUR + 1)
    gap(live, MINUTE, HOUR)
    assert live.show("push", HOUR + 1).running_since == HOUR + 1
    end = HOUR + 1 + 10 * MINUTE
    assert live.happens("tick", end) == []
    [alert] = live.happens("tick", end + LATER)
    assert (alert.kind, alert.started_at) == ("overrun", end)


def test_a_log_changes_nothing(live):
    live.happens("beat", "push", 0)
    before = live.show("push", MINUTE)
    assert live.answer("ping", "push", "log", MINUTE) == "ok"
    assert live.show("push", MINUTE) == before
    assert started(live.happens("tick", 3 * MINUTE + LATER)) == [3 * MINUTE]


# Which services there are


def test_services_appear_with_a_heartbeat(live):
    assert live.answer("ping", " Push".strip(), "heartbeat", 0) == "created"
    push = live.show("push", 0)
    assert (push.status, push.declared, push.last_seen) == ("up", 0, 0)
    assert (push.interval, push.allowed_misses, push.tolerance) == (MINUTE, 3, 0)


@pytest.mark.parametrize("action", ["heartbeat", "fail", "start", "log"])
def test_without_automatic_creation_services_are_declared(live, action):
    live.reset(auto_create=0)
    assert live.answer("ping", "push", action, 0) == "unknown"
    assert live.answer("beat", "push", 0) == "unknown"
    assert live.answer("show", "push", 0) == "unknown"
    live.happens("change", "push", 0, create=1)
    assert live.do("ping", "push", action, 0)[-1] == "ping ok"


def test_no_more_services_than_are_allowed(live):
    live.reset(max_services=2)
    assert live.answer("batch", 0, "a:0", "b:0", "c:0", "a:0") == "created created full older"
    assert live.do("change", "c", 0, create=1)[-1] == "change full"
    live.happens("delete", "a", 0)
    assert live.answer("beat", "c", 0) == "created"
    assert live.answer("beat", "a", 0) == "full"


def test_unknown_services(live):
    for operation in ("show", "pause", "resume", "delete", "change"):
        assert live.answer(operation, "push", 0) == "unknown"


def test_services_by_status(live):
    live.happens("change", "new", 0, create=1)
    live.happens("batch", HOUR, f"up:{HOUR}", f"late:{HOUR - MINUTE - 1}", "down:0", "paused:0")
    live.happens("pause", "paused", HOUR)
    live.happens("tick", HOUR)
    names = ("new", "up", "late", "down", "paused")
    for name in names:
        assert live.show(name, HOUR).status == name
        assert [v.name for v in live.happens("list", name, HOUR) if v.word == "service"] == [name]
    listed = live.happens("list", "down,late", HOUR)
    assert {view.name for view in listed} == {"down", "late"}
    figures = fact_of(live.do("figures")[-1])
    assert [figures[name] for name in names] == [1] * 5


def test_listing_goes_through_all_pages(live):
    names = [f"service-{number}" for number in range(100)]
    live.happens("batch", 0, *(f"{name}:0" for name in names))
    assert sorted(view.name for view in live.happens("list", "all", 0)) == sorted(names)
    live.happens("tick", 4 * MINUTE)
    assert live.do("list", "down", 4 * MINUTE)[-1] == "list 100"
    assert live.do("list", "up", 4 * MINUTE)[-1] == "list 0"


def test_figures(live):
    live.happens("batch", 0, "a:0", "a:0", "b:0", f"b:{DAY}")
    live.happens("ping", "a", "fail", 1)
    live.happens("ping", "a", "start", 2)
    live.happens("ping", "a", "log", 3)
    live.happens("ping", "a", "heartbeat", 4)
    live.happens("tick", HOUR)
    gap(live, HOUR, 2 * HOUR)
    figures = fact_of(live.do("figures")[-1])
    assert figures["heartbeats"] in (4, 5)  # a fail is a heartbeat, too
    del figures["heartbeats"]
    assert figures == {
        "new": 0, "up": 0, "late": 0, "down": 2, "paused": 0, "older": 1, "in_future": 1,
        "fails": 1, "starts": 1, "logs": 1, "created": 2, "alerts": 3, "recoveries": 1, "gaps": 1,
        "no_space": 0,
    }


# Services that are forgotten


@pytest.fixture
def forgetful(live):
    live.reset(forget_after=DAY)
    return live


def test_a_service_is_forgotten(forgetful):
    forgetful.happens("beat", "push", 0)
    forgetful.happens("tick", HOUR)
    assert forgetful.happens("tick", DAY) == []
    assert ended(forgetful.happens("tick", DAY + LATER)) == [("forgotten", DAY + LATER)]
    assert forgetful.answer("show", "push", DAY + LATER) == "unknown"
    assert forgetful.answer("beat", "push", 2 * DAY) == "created"


def test_a_service_is_not_forgotten_for_a_gap(forgetful):
    forgetful.happens("beat", "push", 0)
    forgetful.happens("tick", HOUR)
    gap(forgetful, HOUR, 10 * DAY + HOUR)
    assert forgetful.happens("tick", 11 * DAY) == []
    assert ended(forgetful.happens("tick", 11 * DAY + LATER)) == [("forgotten", 11 * DAY + LATER)]


def test_a_service_that_never_beat_is_forgotten(forgetful):
    forgetful.happens("ping", "push", "start", 0)
    forgetful.happens("tick", DAY)
    assert forgetful.show("push", DAY).status == "new"
    assert forgetful.happens("tick", DAY + LATER) == []
    assert forgetful.answer("show", "push", DAY + LATER) == "unknown"


def test_a_declared_service_is_not_forgotten(forgetful):
    forgetful.happens("beat", "push", 0)
    forgetful.happens("change", "push", 0)
    assert ended(forgetful.happens("tick", 10 * DAY)) == []
    assert forgetful.show("push", 10 * DAY).status == "down"


def test_a_service_that_beats_is_not_forgotten(forgetful):
    for day in range(10):
        assert ended(forgetful.happens("tick", day * DAY)) == []
        forgetful.happens("beat", "push", day * DAY)
