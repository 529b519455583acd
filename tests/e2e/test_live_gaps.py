"""Whatever Kairós could not hear: who lives is not alerted, and who is dead is found."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from model import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Policy
from simulation import options_of, simulation  # noqa: F401, the fixture
from strategies import SEEDS, chance

INTERVALS = st.one_of(
    st.sampled_from((SECOND, MINUTE, 10 * MINUTE, HOUR, DAY, 7 * DAY)),
    st.integers(1000, 7 * DAY // MILLISECOND).map(lambda count: count * MILLISECOND),
)
DOWN = (MILLISECOND, 2 * SECOND, MINUTE, 10 * MINUTE, 3 * DAY)


def reach(policy):
    return policy.allowed_misses * policy.interval + policy.tolerance


@st.composite
def policies(draw, least_misses=1):
    interval = draw(INTERVALS)
    tolerances = (0, 0, 0, interval // 10, interval // 2, interval, 3 * interval)
    tolerance = draw(st.sampled_from(tolerances)) // MILLISECOND * MILLISECOND
    allowed_misses = least_misses + draw(st.sampled_from((0, 0, 0, 1, 2, 3)))
    return Policy(interval, allowed_misses, tolerance)


def listened(now, gaps):
    """How long Kairós has listened from 0 to NOW."""
    return now - sum(max(0, min(end, now) - max(start, 0)) for start, end in gaps)


# Who lives


@dataclass
class Life:
    """A service that beats all the time, and the gaps in which Kairós does not hear it."""

    policy: Policy
    early: int  # by how much an interval may be shorter
    late: int  # or longer
    beats: list[int] = field(default_factory=lambda: [0])
    gaps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def deaf_until(self):
        return self.gaps[-1][1] if self.gaps else 0

    def beat(self, random):
        early, late = self.early, self.late
        jitter = random.choice((0, -early, late, random.randint(-early, late)))
        self.beats.append(self.beats[-1] + self.policy.interval + jitter)

    def be_deaf(self, random):
        """Around the last heartbeat, or some time before it; there may be two in one interval."""
        interval, beat = self.policy.interval, self.beats[-1]
        spans = (0, 1, MILLISECOND, SECOND, interval // 10, interval // 3, interval)
        near = beat - random.choice((0, random.randint(0, interval)))
        start = max(near - random.choice(spans), self.deaf_until + 1)
        end = max(near + random.choice((*spans, *DOWN)), start + 1)
        self.gaps.append((start, end))
        if end > beat + 50 * interval:  # nobody hears the ones in between
            self.beats.append(end - random.randint(0, interval))


@st.composite
def lives(draw, most_gaps, least_misses=1):
    policy = draw(policies(least_misses))
    early = min(max(policy.tolerance, policy.interval // 4), policy.interval * 9 // 10)
    late = policy.tolerance if least_misses < 3 else max(policy.tolerance, policy.interval // 4)
    life = Life(policy, early, late)
    for seed in draw(st.lists(SEEDS, min_size=1, max_size=30)):
        random = Random(seed)
        life.beat(random)
        while len(life.gaps) < most_gaps and chance(random, 0.5):
            life.be_deaf(random)
    while life.beats[-1] <= life.deaf_until + 3 * (policy.interval + late):
        life.beat(random)
    return life


def happenings(life):
    """What comes in, by time: a heartbeat, or the end of a gap with the heartbeats of it."""
    lost = {end: [] for _, end in life.gaps}
    for beat in life.beats:
        end = next((end for start, end in life.gaps if start <= beat <= end), None)
        if end is None:
            yield beat, None, ()
        else:
            lost[end].append(beat)
    yield from ((end, start, lost[end]) for start, end in life.gaps)


def alerts_of(simulation, life, seed):
    """All alerts of it. Of the heartbeats that came in a gap some are lost, some come late."""
    random, alerts = Random(seed), []
    restarts, buffered = random.choice((0, 1)), random.choice((0, 0, 0.1, 1))
    simulation.reset(0, **options_of(life.policy))
    for now, deaf_since, beats in sorted(happenings(life), key=lambda happening: happening[0]):
        if deaf_since is None:
            alerts += simulation.happens("tick", now)
            alerts += simulation.happens("beat", "push", now)
            continue
        late = [f"push:{beat}" for beat in beats if chance(random, buffered)]
        heard_first = chance(random, 0.5)
        if restarts:
            alerts += simulation.happens("restart", deaf_since, now)
        if heard_first:
            alerts += simulation.happens("batch", now, *late)
        if not restarts:
            alerts += simulation.happens("gap", deaf_since, now, "stall")
        if not heard_first:
            alerts += simulation.happens("tick", now)
            alerts += simulation.happens("batch", now, *late)
        alerts += simulation.happens("tick", now)
    return [alert for alert in alerts if alert.word == "opened"]


@given(lives(most_gaps=1), SEEDS)
def test_one_gap_alerts_nobody_who_lives(simulation, life, seed):  # noqa: F811
    assert alerts_of(simulation, life, seed) == []


@given(lives(most_gaps=1, least_misses=3), SEEDS)
def test_nor_who_is_late_by_a_quarter_of_the_interval(simulation, life, seed):  # noqa: F811
    """Of three misses one may have been counted before the gap, and one after it."""
    assert alerts_of(simulation, life, seed) == []


@given(lives(most_gaps=8), SEEDS)
def test_many_gaps_alert_nobody_before_the_bound(simulation, life, seed):  # noqa: F811
    """Gaps may hide one heartbeat after another, until Kairós has listened for too long."""
    for alert in alerts_of(simulation, life, seed):
        heard = listened(alert.started_at, life.gaps) - listened(alert.last_seen, life.gaps)
        assert heard >= 2 * reach(life.policy), simulation.told


# Who is dead


@st.composite
def gaps(draw, policy):
    """Times from which to which Kairós does not hear."""
    found, now = [], 0
    for seed in draw(st.lists(SEEDS, min_size=1, max_size=40)):
        random = Random(seed)
        lengths = (policy.interval // 3, policy.interval, random.randint(1, 3 * policy.interval))
        start = now + random.randint(1, random.choice((1, 4, 16)) * policy.interval // 2)
        now = start + random.choice((*DOWN, *lengths))
        found.append((start, now))
    return found


def moment_listened(bound, gaps):
    """When Kairós has listened for BOUND since 0."""
    now = bound
    for start, end in gaps:
        if start < now:
            now += end - start
    return now


@st.composite
def deaths(draw):
    policy = draw(policies())
    return policy, draw(gaps(policy))


@given(deaths(), SEEDS)
def test_the_dead_are_found(simulation, death, seed):  # noqa: F811
    """After 2·(A·I + T) of listening at the latest, whatever was excused."""
    policy, found = death
    random = Random(seed)
    bound = moment_listened(2 * reach(policy), found)
    simulation.reset(0, **options_of(policy))
    simulation.happens("beat", "push", 0)
    alerts = []
    for start, end in found:
        if start >= bound:
            break
        alerts += simulation.happens("tick", start)
        if chance(random, 0.3):
            alerts += simulation.happens("restart", start, end)
        else:
            alerts += simulation.happens("gap", start, end, "suspend")
    alerts += simulation.happens("tick", bound + 1)
    [alert] = [alert for alert in alerts if alert.word == "opened"] [:1]
    assert (alert.kind, alert.last_seen) == ("silence", 0)
    assert alert.started_at <= bound
    assert simulation.show("push", bound + 1).status == "down"
