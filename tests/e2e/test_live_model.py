"""The live engine against the file and against the model, on what nobody would think of."""

import re
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

import live_model
import strategies
from model import (
    DAY,
    HOUR,
    LAST_MOMENT,
    MILLISECOND,
    MINUTE,
    SECOND,
    Policy,
    count_alerts,
    format_time,
    moment_of_text,
    read,
)
from simulation import fact, options_of, simulation  # noqa: F401, the fixture

MAX_ALERTS = 2000
INTERVALS = (SECOND, 2 * SECOND, 45 * SECOND, MINUTE, 10 * MINUTE, HOUR, DAY, 7 * DAY)


def durations(*usual, least=0):
    some = st.integers(least // MILLISECOND, 14 * DAY // MILLISECOND)
    return st.one_of(st.sampled_from(usual), some.map(lambda count: count * MILLISECOND))


POLICIES = st.builds(
    Policy,
    interval=durations(*INTERVALS, least=SECOND),
    allowed_misses=st.one_of(*3 * [st.integers(1, 4)], st.integers(1, 1_000_000)),
    tolerance=durations(0, 0, 0, MILLISECOND, SECOND, 30 * SECOND, 90 * SECOND, HOUR),
)


# The same as the file


@st.composite
def logs(draw):
    writer = draw(strategies.writers(st.just("")))
    writer = replace(writer, policy=draw(POLICIES))
    document = f"[{','.join(draw(strategies.texts(writer)))}]".encode()
    heard = read(document).heartbeats
    last = max((time for times in heard.values() for time in times), default=writer.base)
    beyond = draw(st.integers(0, 10)) * writer.policy.interval + draw(st.integers(0, 1))
    until = format_time(min(last + writer.policy.tolerance + beyond, LAST_MOMENT))
    return strategies.Log(document, writer.policy, until, 1)


@given(logs(), strategies.SEEDS)
def test_same_as_the_file(kairos, simulation, log, seed):
    """Delivered in time order, a log raises live what analysing the file finds."""
    random = Random(seed)
    restarts = random.choice((0, 0.1))
    heartbeats = sorted(
        (time, name) for name, times in read(log.document).heartbeats.items() for time in times
    )
    until = moment_of_text(log.until)
    simulation.reset(heartbeats[0][0] if heartbeats else until, **options_of(log.policy))
    facts = []
    for time, name in heartbeats:
        facts += simulation.happens("tick", time)
        facts += simulation.happens("beat", name, time)
        if strategies.chance(random, restarts):
            facts += simulation.happens("restart", time, time)
    facts += simulation.happens("tick", until)
    facts += simulation.happens("incidents", until)
    incidents = [fact for fact in facts if fact.word in ("open", "closed")]
    count = count_alerts(read(log.document), log.policy, until)
    assert sum(incident.alert_count for incident in incidents) == count
    if count > MAX_ALERTS:
        return
    result = kairos.analyse(log.document, *log.options)
    alerts = [alert for incident in incidents for alert in expanded(incident)]
    assert sorted(alerts, key=order) == sorted(result.alerts, key=order)


def order(alert):
    return alert["service"], alert["alert_at"], alert["last_seen"]


def expanded(incident):
    """The first alert, and those that are arithmetic."""
    first = {(incident.started_at, incident.missed_count)}
    for number in range(incident.repeats_known):
        alert_at = incident.last_alert_at - number * incident.repeat_every
        first.add((alert_at, incident.repeat_misses))
    return [
        {
            "service": incident.name,
            "alert_at": format_time(alert_at),
            "missed_count": missed_count,
            "last_seen": format_time(incident.last_seen),
        }
        for alert_at, missed_count in first
    ]


# The same as the model

NAMES = ("push", "email", "long_" * 20)
SPANS = (1, MILLISECOND, SECOND, 2 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE, HOUR)
LONG_SPANS = (DAY, 3 * DAY, 20 * DAY)
CHANGES = {
    "interval": (*INTERVALS, 366 * DAY, SECOND - 1),
    "allowed_misses": (1, 1, 2, 3, 4, 1_000_000, 0),
    "tolerance": (0, 0, MILLISECOND, SECOND, MINUTE, 20 * MINUTE, HOUR, 1),
    "max_runtime": (0, SECOND, MINUTE, 10 * MINUTE, HOUR, 2 * DAY, -MILLISECOND),
}
PUNCTUAL = 5 * MILLISECOND  # within which an alert that is due is raised, if ticks come as told


class Twins:
    """The engine and the model are told the same, and must say the same."""

    def __init__(self, simulation, now, policy, forget_after):
        self.simulation, self.now, self.heard = simulation, now, now
        self.model = live_model.Engine(policy, forget_after)
        simulation.reset(now, **options_of(policy), forget_after=forget_after)

    def do(self, operation, *words, **values):
        heard = self.simulation.do(operation, *words, **values)
        arguments = map(event, words) if operation == "batch" else words
        expected = getattr(self.model, operation)(*arguments, **values)
        assert self.comparable(heard) == self.comparable(expected), self.simulation.told
        return heard[-1]

    def comparable(self, lines):
        *told, answer = lines
        if answer.startswith("tick"):
            return sorted(map(comparable, told))
        if answer == "restart":
            told = [line.replace("opened", "reopened") for line in told]
        if self.heard < self.now:  # the status is as last judged
            told = [line.replace("status=late", "status=up") for line in told]
        return [*sorted(map(comparable, told)), answer]

    def tick(self, until):
        self.heard = until
        answer = fact(self.do("tick", until, self.now))
        if until == self.now:
            due = self.model.next_due()
            assert not answer.wants_hearing and answer.next > self.now, self.simulation.told
            assert due is None or answer.next <= due + PUNCTUAL, self.simulation.told

    def look(self):
        """Looks at all that can be seen, once everything was judged."""
        self.tick(self.now)
        for name in NAMES:
            self.do("show", name, self.now)
        for statuses in ("all", "late,down", *live_model.STATUSES):
            self.do("list", statuses, self.now)
        self.do("incidents", self.now)
        [figures] = self.simulation.do("figures")
        statuses = [live_model.status_of(s, self.now) for s in self.model.services.values()]
        for status in live_model.STATUSES:
            assert getattr(fact(figures), status) == statuses.count(status), self.simulation.told


def event(word):
    """The name and the time of NAME:TIME; anything else is itself."""
    name, colon, time = str(word).partition(":")
    return (name, int(time)) if colon else word


# What an incident began with is exact when it is told for the first time.
FLEETING = re.compile(r" (raised_at|last_seen|missed_count)=\S+")


def comparable(line):
    return line if line.startswith(("opened", "service")) else FLEETING.sub("", line)


def some_time(random, twins):
    """A moment ahead, near one at which something may happen if there is any."""
    model, now = twins.model, twins.now
    service = random.choice([*model.services.values(), None])
    if service is None or service.base is None or strategies.chance(random, 0.3):
        return now + random.choice((0, random.choice(SPANS), random.choice(LONG_SPANS)))
    interval, tolerance = service.policy.interval, service.policy.tolerance
    ahead = max(0, now - service.base) // interval
    moment = random.choice(
        (
            service.expected(ahead + random.randint(0, 3)) + random.choice((0, tolerance)),
            service.expected(service.policy.allowed_misses) + tolerance,
            service.silence_due()[0],
            (service.run_started or now) + service.max_runtime,
            service.last_seen + model.forget_after,
        )
    )
    return min(max(now, moment + random.choice((-1, 0, 0, 1, 1))), now + 30 * DAY)


def let_time_pass(random, twins):
    twins.now = some_time(random, twins)
    if strategies.chance(random, 0.8):
        late = random.choice((0, 0, 0, SECOND, MINUTE, HOUR))
        twins.tick(max(twins.heard, twins.now - late))


def heartbeat_time(random, twins, name):
    """On time, late, early, older, in the future."""
    now = twins.now
    if strategies.chance(random, 0.6):
        return now
    service = twins.model.services.get(name)
    times = [now - random.choice(SPANS), now + random.choice(SPANS), now + 5 * MINUTE + 1]
    if service and service.last_seen is not None:
        times += [service.last_seen, service.last_seen + random.choice((-1, 1, SECOND))]
        times += [service.last_seen + service.policy.interval]
    if service and service.base is not None:
        times += [service.base + random.choice((-1, 0, 1))]
    for gap in twins.model.gaps[-2:]:
        times += [gap.start, gap.end, gap.end - 1, (gap.start + gap.end) // 2]
    return random.choice(times)


def beat(random, twins):
    name = random.choice(NAMES)
    twins.do("beat", name, heartbeat_time(random, twins, name), twins.now)


def batch(random, twins):
    names = random.choices(NAMES, k=random.randint(1, 40))
    events = (f"{name}:{heartbeat_time(random, twins, name)}" for name in names)
    twins.do("batch", twins.now, *events)


def ping(random, twins):
    action = random.choice(("heartbeat", "fail", "start", "start", "log"))
    twins.do("ping", random.choice(NAMES), action, twins.now)


def change(random, twins):
    keys = random.sample(list(CHANGES), random.choice((0, 1, 1, 2, 4)))
    values = {key: random.choice(CHANGES[key]) for key in keys}
    for option in ("create", "replace"):
        if strategies.chance(random, 0.3):
            values[option] = 1
    twins.do("change", random.choice(NAMES), twins.now, **values)


def pause(random, twins):
    twins.do(random.choice(("pause", "resume")), random.choice(NAMES), twins.now)


def delete(random, twins):
    twins.do("delete", random.choice(NAMES), twins.now)


def some_end(random, service, start):
    """An end of a gap for which it is just so that the next heartbeat may have come in it."""
    if service.base is None:
        return start
    interval, tolerance = service.policy.interval, service.policy.tolerance
    expected = service.expected(service.misses_since_base(start) + random.choice((1, 1, 2)))
    early = random.choice((interval, interval // 4, tolerance, 5 * MINUTE))
    return min(expected - early + random.choice((-1, 0, 1)), start + 30 * DAY)


def be_deaf(random, twins):
    """Hears nothing for a while; what waits at its end is heard before the gap is recorded."""
    start = twins.now
    end = max(some_time(random, twins), start + random.choice(SPANS))
    if service := random.choice([*twins.model.services.values(), None]):
        end = max(start + 1, some_end(random, service, start))
    restarts = strategies.chance(random, 0.4)
    twins.now = end
    if restarts:
        twins.do("restart", start, end)
    while strategies.chance(random, 0.3):
        random.choice((beat, batch, ping))(random, twins)
        if strategies.chance(random, 0.3):
            twins.now += random.choice(SPANS[:5])
    if not restarts:
        twins.do("gap", start, end, random.choice(("stall", "suspend")))
    twins.heard = max(start, twins.heard)


def restart(random, twins):
    twins.do("restart", twins.now, twins.now)


@st.composite
def scripts(draw):
    """Seeds of operations; left to itself, Hypothesis draws few."""
    size = draw(st.sampled_from((10, 40, 100)))
    return draw(st.lists(strategies.SEEDS, min_size=size // 2, max_size=size))


OPERATIONS = {  # and how often they come
    let_time_pass: 8,
    beat: 6,
    ping: 3,
    be_deaf: 2,
    batch: 1,
    change: 1,
    pause: 1,
    delete: 0.3,
    restart: 0.3,
}


@given(
    seeds=scripts(),
    base=st.sampled_from((0, -HOUR, moment_of_text("2025-08-04T10:00"))),
    policy=POLICIES,
    forget_after=st.sampled_from((0, 0, HOUR, DAY)),
    focus=st.sampled_from(list(OPERATIONS)),
    looks=st.sampled_from((0, 0.02, 0.2)),
)
def test_same_as_the_model(simulation, seeds, base, policy, forget_after, focus, looks):
    twins = Twins(simulation, base, policy, forget_after)
    weights = OPERATIONS | {focus: OPERATIONS[focus] + 5}
    for seed in seeds:
        random = Random(seed)
        [operation] = random.choices(list(weights), list(weights.values()))
        operation(random, twins)
        if strategies.chance(random, looks):
            twins.look()
    twins.look()
