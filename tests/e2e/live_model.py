"""What Kairós does live, written to be read: a model to compare the engine with.

Every service is looked at in every tick; nothing here is fast or clever. Times are integers:
microseconds of engine time. Each operation returns the lines that `simulate` prints for it
(tests/simulate): what happened, what was asked for, and the answer.
"""

from dataclasses import dataclass, field, replace

from model import DAY, LAST_MOMENT, MILLISECOND, MINUTE, SECOND, Policy

AHEAD = 5 * MINUTE  # how far a sender's clock may run ahead
EARLY = 5 * MINUTE  # how early a heartbeat may come, at least, if its interval is not shorter
LONGEST = 366 * DAY
MISSES_MAX = 1_000_000
GAPS_KEPT = 8
STATUSES = ("new", "up", "late", "down", "paused")


@dataclass(frozen=True)
class Gap:
    start: int  # D: heard up to here
    end: int  # R: hears again from here on
    reason: str


@dataclass
class Incident:
    service: str
    kind: str
    started_at: int
    raised_at: int
    last_seen: int | None
    missed_count: int
    fails: int = 0
    counted: int = 0  # alerts that do not come from the misses since the base


@dataclass
class Service:
    name: str
    policy: Policy
    max_runtime: int = 0
    declared: bool = False
    paused: bool = False
    last_seen: int | None = None
    base: int | None = None  # e(k) = base + k·I
    misses_before: int = 0  # those counted before the base
    listening_since: int | None = None
    run_started: int | None = None
    incident: Incident | None = None

    # What is expected and missed.

    def expected(self, k):
        return self.base + k * self.policy.interval

    def misses_since_base(self, now):
        """How many k >= 1 have e(k) + T < now."""
        return max(0, (now - self.policy.tolerance - self.base - 1) // self.policy.interval)

    def misses(self, now):
        return self.misses_before + self.misses_since_base(now)

    # Alerts: due as soon as the time is later than the first value; the second is alert_at.

    @property
    def is_running(self):
        """Whether a run is under way that may take too long; misses are not judged then."""
        return self.run_started is not None and self.max_runtime > 0

    def due_by_misses(self):
        missing = self.policy.allowed_misses - self.misses_before
        if missing <= 0:
            return self.base, self.base
        return self.expected(missing) + self.policy.tolerance, self.expected(missing)

    def due_by_listening(self):
        bound = self.listening_since + 2 * reach(self.policy)
        return bound, bound

    @property
    def is_due_by_counting(self):
        """Whether the next alert is raised by misses that are counted from the base on."""
        if self.misses_before >= self.policy.allowed_misses:
            return False
        return self.due_by_misses()[0] <= self.due_by_listening()[0]

    def silence_due(self):
        return min(self.due_by_misses(), self.due_by_listening(), key=lambda due: due[0])

    def first_due(self):
        """When an incident is opened, its alert_at, and its kind; None if none will be."""
        if self.paused or self.incident:
            return None
        if self.is_running:
            overrun = self.run_started + self.max_runtime
            return overrun, overrun, "overrun"
        return None if self.last_seen is None else (*self.silence_due(), "silence")

    # Alerts of the open incident that come from the misses since the base.

    @property
    def has_repeats(self):
        return self.incident is not None and self.incident.kind != "overrun"

    def repeats(self, now):
        return self.misses(now) // self.policy.allowed_misses if self.has_repeats else 0

    def repeat_at(self, number):
        """The alert_at of the NUMBER-th; those that were due at the base stand there."""
        return self.expected(max(0, number * self.policy.allowed_misses - self.misses_before))

    def alert_count(self, now):
        return self.incident.counted + self.repeats(now)

    def last_alert_at(self, now):
        """None where it is not kept: a repeat from before the base."""
        if repeats := self.repeats(now):
            return self.repeat_at(repeats)
        return self.incident.started_at if self.incident.counted == 1 else None

    def counted_incident(self, now):
        """The incident with all alerts by NOW counted, for a new base."""
        return replace(self.incident, counted=self.alert_count(now))

    # Expectation starts anew.

    def fold(self, now):
        """Keeps what was counted by NOW, for a new base."""
        misses = self.misses(now)
        if self.has_repeats:
            self.incident = self.counted_incident(now)
            misses %= self.policy.allowed_misses
        self.misses_before = min(misses, MISSES_MAX)

    def start_anew(self, time):
        self.base = self.listening_since = time
        self.misses_before = 0

    def hear(self, time, gaps):
        """A heartbeat that is newer than the last one."""
        self.last_seen = time
        if self.base is not None and time <= self.base:
            self.start_anew(self.base)
            return
        self.start_anew(time)
        for gap in gaps:
            if gap.end > time:
                self.miss_out(gap)

    def start(self, now):
        """A run begins, after the last heartbeat even if that is of the same time."""
        self.run_started = now if self.last_seen is None else max(now, self.last_seen + 1)

    def miss_out(self, gap):
        """Kairós could not hear in GAP; the last heartbeat came before its end."""
        interval = self.policy.interval
        early = min(interval, max(EARLY, self.policy.tolerance, interval // 4))
        if self.base > self.last_seen:
            early = interval  # nothing is known of when the service beats
        unjudged = self.expected(self.misses_since_base(gap.start) + 1)
        if unjudged <= gap.end + early:
            self.fold(gap.start)
            self.base = gap.end
        self.listening_since += max(0, gap.end - max(gap.start, self.listening_since))

    def forget_run(self, gap):
        """The end of the run may have been lost in GAP; the run does not count as listening."""
        if self.last_seen is not None:
            self.fold(gap.start)
            self.base, self.misses_before = gap.end, 0
            deaf_since = max(min(gap.start, self.run_started), self.listening_since)
            self.listening_since += max(0, gap.end - deaf_since)
        self.run_started = None

    def expect_from(self, now):
        """A new policy, or a resume."""
        interval = self.policy.interval
        self.base = max(self.last_seen + interval, now) - interval
        self.listening_since = now


def reach(policy):
    """The longest silence that raises no alert."""
    return policy.allowed_misses * policy.interval + policy.tolerance


@dataclass
class Engine:
    policy: Policy = Policy()
    forget_after: int = 0
    auto_create: bool = True
    max_services: int = 10_000
    services: dict[str, Service] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)  # the newest
    told: list[str] = field(default_factory=list)

    def answer(self, *lines):
        """What happened, in no order; then LINES."""
        told, self.told = sorted(self.told), []
        return [*told, *lines]

    # Heartbeats

    def beat(self, name, time, now=None):
        return self.answer(f"beat {self.hear(name, time, time if now is None else now)}")

    def batch(self, now, *events):
        return self.answer(" ".join(["batch", *(self.hear(*event, now) for event in events)]))

    def ping(self, name, action, now):
        if action == "heartbeat":
            return self.answer(f"ping {self.hear(name, now, now)}")
        if action == "log":
            return self.answer(f"ping {'ok' if name in self.services else 'unknown'}")
        service, result = self.find_or_create(name)
        if service and action == "fail":
            self.fail(service, now)
        if service and action == "start" and not service.paused:
            service.start(now)
        return self.answer(f"ping {result}")

    def next_due(self):
        """When the next alert will be due, or None."""
        dues = [due for service in self.services.values() if (due := service.first_due())]
        return min((due for due, *_ in dues), default=None)

    def find_or_create(self, name):
        if name in self.services:
            return self.services[name], "ok"
        if not self.auto_create:
            return None, "unknown"
        if len(self.services) >= self.max_services:
            return None, "full"
        self.services[name] = Service(name, self.policy)
        return self.services[name], "created"

    def hear(self, name, time, now):
        if time > now + AHEAD:
            return "in_future"
        time = min(time, now)
        service, result = self.find_or_create(name)
        if not service:
            return result
        if service.last_seen is not None and time <= service.last_seen:
            return "older"
        if service.paused:
            service.last_seen = time
            return result
        incident, before = service.incident, replace(service)
        service.incident = None
        if service.run_started is not None and service.run_started <= time:
            service.run_started = None
        service.hear(time, self.gaps)
        if incident and service.first_due()[0] > now:
            self.close(before, "recovered", now)
        elif incident:
            service.incident = before.counted_incident(now)
        return result

    def fail(self, service, now):
        service.last_seen = now
        if service.paused:
            return
        service.run_started = None
        if service.incident:
            service.incident = service.counted_incident(now)
            service.incident.fails += 1
        service.start_anew(now)
        if not service.incident:
            self.open(Incident(service.name, "fail", now, now, now, 0, counted=1))

    # Incidents

    def open(self, incident):
        service = self.services[incident.service]
        service.incident = incident
        self.told.append(incident_line("opened", service, incident.raised_at))

    def close(self, service, end, now):
        if service.incident:
            self.told.append(incident_line("closed", service, now, end))
            service.incident = None

    # Time

    def tick(self, until, now=None):
        self.judge(until, until if now is None else now)
        return self.answer("tick")

    def judge(self, until, now):
        """Raises what was due before UNTIL, and drops who was forgotten by then."""
        for service in list(self.services.values()):
            due = service.first_due()
            if due and due[0] < until and not self.is_forgotten(service, until):
                self.raise_alert(service, *due[1:], now)
            if self.is_forgotten(service, until):
                self.close(service, "forgotten", now)
                del self.services[service.name]

    def is_forgotten(self, service, now):
        """Whether nobody wants a service that has not been heard for long, though listened to."""
        silent_since = service.listening_since
        if service.last_seen is None:
            silent_since = service.run_started
        elif not service.incident:
            return False
        if not self.forget_after or service.declared or silent_since is None:
            return False
        return silent_since + self.forget_after < now

    def raise_alert(self, service, alert_at, kind, now):
        missed_count = service.policy.allowed_misses if kind == "silence" else 0
        incident = Incident(service.name, kind, alert_at, now, service.last_seen, missed_count)
        if kind == "overrun":
            incident.counted = 1
        elif not service.is_due_by_counting:
            incident.counted = 1
            service.base = max(service.base, alert_at)  # the count starts again
            service.misses_before = 0
        self.open(incident)

    def gap(self, start, end, reason):
        self.record_gap(Gap(start, end, reason))
        return self.answer("gap")

    def record_gap(self, gap):
        self.judge(gap.start, gap.end)
        self.gaps = [*self.gaps, gap][-GAPS_KEPT:]
        for service in self.services.values():
            self.miss_out(service, gap)
        self.told.append(f"deaf from={gap.start} to={gap.end} reason={gap.reason}")

    def miss_out(self, service, gap):
        if service.paused or (service.last_seen is not None and service.last_seen >= gap.end):
            return
        if service.is_running and service.run_started < gap.end:
            service.forget_run(gap)
        elif service.last_seen is not None:
            service.miss_out(gap)

    def restart(self, start, end):
        for service in self.services.values():
            if service.incident:
                self.told.append(incident_line("opened", service, start))
        if start < end:
            self.record_gap(Gap(start, end, "restart"))
        return self.answer("restart")

    # Services

    def change(self, name, now, **values):
        create, new = values.pop("create", 0), name not in self.services
        if new and not create:
            return self.answer("change unknown")
        service = Service(name, self.policy) if new else self.services[name]
        if values.pop("replace", 0):
            policy, max_runtime = self.policy, 0
        else:
            policy, max_runtime = service.policy, service.max_runtime
        max_runtime = values.pop("max_runtime", max_runtime)
        policy = replace(policy, **values)
        flaw = flaw_of(policy, max_runtime)
        if flaw or (new and len(self.services) >= self.max_services):
            return self.answer(f"change {flaw or 'full'}")
        self.services[name] = service
        service.declared = True
        service.max_runtime = max_runtime
        if policy != service.policy:
            if service.last_seen is not None and not service.paused:
                service.fold(now)
            service.policy = policy
            if service.last_seen is not None and not service.paused:
                service.expect_from(now)
        return self.answer(*view_lines(service, now), f"change {'created' if new else 'ok'}")

    def pause(self, name, now):
        service = self.services.get(name)
        if not service:
            return self.answer("pause unknown")
        self.close(service, "paused", now)
        service.declared = service.paused = True
        service.run_started = None
        return self.answer(*view_lines(service, now), "pause ok")

    def resume(self, name, now):
        service = self.services.get(name)
        if not service:
            return self.answer("resume unknown")
        service.declared = True
        if service.paused:
            service.paused = False
            if service.last_seen is not None:
                service.misses_before = 0
                service.expect_from(now)
        return self.answer(*view_lines(service, now), "resume ok")

    def delete(self, name, now):
        service = self.services.get(name)
        if not service:
            return self.answer("delete unknown")
        self.close(service, "deleted", now)
        del self.services[name]
        return self.answer("delete ok")

    # What is asked for

    def show(self, name, now):
        service = self.services.get(name)
        if not service:
            return self.answer("show unknown")
        return self.answer(*view_lines(service, now), "show ok")

    def list(self, statuses, now):
        """Services in no order."""
        chosen = [
            service
            for service in self.services.values()
            if statuses == "all" or status_of(service, now) in statuses.split(",")
        ]
        lines = sorted(line for service in chosen for line in view_lines(service, now))
        return self.answer(*lines, f"list {len(chosen)}")

    def incidents(self, now):
        open_ones = [service for service in self.services.values() if service.incident]
        lines = sorted(incident_line("open", service, now) for service in open_ones)
        return self.answer(*lines, f"incidents {len(open_ones)}")


def flaw_of(policy, max_runtime):
    """The first value that is out of bounds."""
    if not is_duration(policy.interval, SECOND):
        return "bad_interval"
    if not is_duration(max_runtime, 0):
        return "bad_runtime"
    if not 1 <= policy.allowed_misses <= MISSES_MAX:
        return "bad_misses"
    return None if is_duration(policy.tolerance, 0) else "bad_tolerance"


def is_duration(time, least):
    return least <= time <= LONGEST and time % MILLISECOND == 0


def status_of(service, now):
    if service.paused:
        return "paused"
    if service.incident:
        return "down"
    if service.last_seen is None:
        return "new"
    return "late" if service.misses(now) > 0 and not service.is_running else "up"


# Lines, as `simulate` prints them


def words(**values):
    texts = {key: "never" if value is None else value for key, value in values.items()}
    return " ".join(f"{key}={text}" for key, text in texts.items())


def incident_line(word, service, now, end="open"):
    """The open incident of SERVICE, with the alerts by NOW."""
    incident = service.incident
    repeats = service.repeats(now)
    return f"{word} {service.name} " + words(
        kind=incident.kind,
        end=end,
        started_at=incident.started_at,
        raised_at=incident.raised_at,
        last_seen=incident.last_seen,
        ended_at=None if end == "open" else now,
        last_alert_at=service.last_alert_at(now),
        repeat_every=reach(replace(service.policy, tolerance=0)) if repeats > 0 else 0,
        alert_count=service.alert_count(now),
        repeats_known=repeats,
        fails=incident.fails,
        missed_count=incident.missed_count,
        repeat_misses=service.policy.allowed_misses,
    )


def view_lines(service, now):
    policy, due = service.policy, service.first_due()
    missed = 0
    if service.last_seen is not None and not service.paused and not service.is_running:
        missed = service.misses(now)
        if service.incident:
            missed %= policy.allowed_misses
    if service.incident:
        yield incident_line("with", service, now)
    yield f"service {service.name} " + words(
        status=status_of(service, now),
        declared=int(service.declared),
        interval=policy.interval,
        allowed_misses=policy.allowed_misses,
        tolerance=policy.tolerance,
        max_runtime=service.max_runtime,
        last_seen=service.last_seen,
        next_deadline=due[0] if due and due[0] <= LAST_MOMENT else None,
        running_since=service.run_started,
        missed_count=missed,
    )
