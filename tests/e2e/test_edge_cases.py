"""The edge cases of detection, one by one.

Unless a test says otherwise the policy is the default: interval 60 s, 3 allowed misses, no tolerance.
"""

from datetime import datetime, timedelta, timezone

import pytest

from documents import event, heartbeats, lines

NAME = "push"
TIME = "2025-08-04T10:00:00Z"
SILENT = heartbeats("push", "10:00", "10:01", "10:02", "10:06")  # one alert, at 10:05


def push(*times):
    return heartbeats("push", *times)


def assert_skipped(kairos, bad, reason):
    """BAD among good heartbeats is counted under REASON, and the others are heard."""
    result = kairos.analyse([SILENT[0], bad, *SILENT[1:]])
    assert result.returncode == 0
    assert result.counts == (5, 4, 1)
    assert result.reasons == {reason: 1}
    assert result.times == ["10:05:00Z"]


# Bad events


def test_missing_service(kairos):
    assert_skipped(kairos, {"timestamp": TIME}, "missing_service")


def test_missing_timestamp(kairos):
    assert_skipped(kairos, {"service": NAME}, "missing_timestamp")


def test_missing_both(kairos):
    assert_skipped(kairos, {}, "missing_service")


@pytest.mark.parametrize(
    "timestamp", ["not-a-timestamp", "2025-08-04", " ", TIME + " ", True, [], {}, [TIME]]
)
def test_invalid_timestamp(kairos, timestamp):
    assert_skipped(kairos, {"service": NAME, "timestamp": timestamp}, "invalid_timestamp_format")


@pytest.mark.parametrize("service", ["", " ", "\t\n\v\f\r "])
def test_empty_service(kairos, service):
    assert_skipped(kairos, {"service": service, "timestamp": TIME}, "empty_service")


def test_empty_timestamp(kairos):
    assert_skipped(kairos, {"service": NAME, "timestamp": ""}, "empty_timestamp")


def test_null_service(kairos):
    assert_skipped(kairos, {"service": None, "timestamp": TIME}, "empty_service")


def test_null_timestamp(kairos):
    assert_skipped(kairos, {"service": NAME, "timestamp": None}, "empty_timestamp")


def test_null_values(kairos):
    assert_skipped(kairos, {"service": None, "timestamp": None}, "empty_service")


def test_null_event(kairos):
    assert_skipped(kairos, None, "not_an_object")


@pytest.mark.parametrize("other", [42, "push", [], [SILENT[0]], True])
def test_not_an_object(kairos, other):
    assert_skipped(kairos, other, "not_an_object")


@pytest.mark.parametrize(
    "service",
    [
        "a b", "a.b", "a/b", "naïve", "ÉMAIL", "\u212a", "a\0", "\0", "a\u00a0", "\ufeffa",
        "\ud800", "a" * 101, 7, False, [], {},
    ],
)
def test_invalid_service(kairos, service):
    assert_skipped(kairos, {"service": service, "timestamp": TIME}, "invalid_service_format")


@pytest.mark.parametrize(
    "bad, reason",
    [
        ({"service": None}, "missing_timestamp"),
        ({"timestamp": None}, "missing_service"),
        ({"service": "", "timestamp": ""}, "empty_service"),
        ({"service": "a b", "timestamp": ""}, "empty_timestamp"),
        ({"service": "a b", "timestamp": "never"}, "invalid_service_format"),
        ({"service": 7, "timestamp": None}, "empty_timestamp"),
    ],
)
def test_the_first_reason_counts(kairos, bad, reason):
    assert_skipped(kairos, bad, reason)


def test_invalid_json(kairos):
    document = lines(SILENT[:2]) + "{'service': 'push'}\n\n" + lines(SILENT[2:])
    result = kairos.analyse(document)
    assert result.counts == (5, 4, 1)
    assert result.reasons == {"invalid_json": 1}
    assert result.times == ["10:05:00Z"]


def test_every_bad_event(kairos):
    """A log of bad events alone is no error."""
    result = kairos.analyse([{}, None, {"service": NAME}])
    assert result.returncode == 0
    assert result.counts == (3, 0, 3)
    assert result.services == []
    assert result.alerts == []


# Keys


def test_duplicate_keys(kairos):
    document = """[
        {"service": 7, "timestamp": "10:00", "service": "push", "timestamp": "2025-08-04T10:00:00Z"},
        {"service": "push", "timestamp": "2025-08-04T10:01:00Z", "service": null}]"""
    result = kairos.analyse(document)
    assert result.counts == (2, 1, 1)
    assert result.services == ["push"]
    assert result.reasons == {"empty_service": 1}


def test_other_keys(kairos):
    more = {
        "Service": "ghost",
        "services": ["ghost"],
        "service ": 1,
        "": {"service": "ghost", "timestamp": TIME},
    }
    result = kairos.analyse([{**more, **heartbeat} for heartbeat in SILENT])
    assert result.counts == (4, 4, 0)
    assert result.services == ["push"]
    assert result.times == ["10:05:00Z"]


def test_escaped_keys_and_values(kairos):
    document = r"""[
        {"\u0073ervice": "\u0050u\u0073h", "time\u0073tamp": "2025-08-04T10:00:00\u005a"},
        {"\u0073\u0065\u0072vice": "\tpush\n", "timestamp": "2025-08-04 10:06"}]"""
    result = kairos.analyse(document)
    assert result.services == ["push"]
    assert result.times == ["10:03:00Z"]


# Services


def test_upper_case_names(kairos):
    result = kairos.analyse(
        [event("PUSH", "10:00"), event("Push", "10:02"), event("push", "10:06")]
    )
    assert result.services == ["push"]
    assert result.times == ["10:05:00Z"]


def test_blanks_around_names(kairos):
    result = kairos.analyse([event(" \t\n\v\f\rpush", "10:00"), event("push \t\n\v\f\r", "10:04")])
    assert result.services == ["push"]
    assert result.times == ["10:03:00Z"]


def test_longest_name(kairos):
    name = "az09_-" * 16 + "abcd"
    result = kairos.analyse(heartbeats(" " * 300 + name, "10:00", "10:04"))
    assert result.services == [name]
    assert result.alerts[0]["service"] == name


def test_names_alike(kairos):
    """Names that share all but their last letter, at every length, are different services."""
    names = [f"{'a' * length}{last}" for length in range(100) for last in "xyz"]
    result = kairos.analyse([event(name, time) for time in ("10:00", "10:04") for name in names])
    assert [alert["service"] for alert in result.alerts] == names


def test_many_services(kairos):
    """Services stand in order of first appearance, and so do their alerts."""
    names = [f"svc-{number * 7919 % 5000}" for number in range(5000)]
    log = [event(name, "10:00") for name in names] + [
        event(name, "10:04") for name in reversed(names)
    ]
    result = kairos.analyse(log)
    assert result.counts == (10_000, 10_000, 0)
    assert result.value("Services") == ", ".join(names[:20]) + " and 4980 more"
    assert [alert["service"] for alert in result.alerts] == names
    assert set(result.times) == {"10:03:00Z"}


def test_bad_events_name_no_service(kairos):
    result = kairos.analyse([{"service": "ghost", "timestamp": "never"}, *push("10:00")])
    assert result.services == ["push"]


def test_alerts_by_service_then_time(kairos):
    log = [
        event("sms", "10:00"),
        event("email", "09:00"),
        event("sms", "10:08"),
        event("email", "09:08"),
    ]
    alerts = [(alert["service"], alert["alert_at"][11:16]) for alert in kairos.analyse(log).alerts]
    assert alerts == [("sms", "10:03"), ("sms", "10:06"), ("email", "09:03"), ("email", "09:06")]


# Detection


def test_design_example(kairos):
    result = kairos.analyse(SILENT)
    assert result.alerts == [
        {
            "service": "push",
            "alert_at": "2025-08-04T10:05:00Z",
            "missed_count": 3,
            "last_seen": "2025-08-04T10:02:00Z",
        }
    ]


def test_near_miss(kairos):
    """Two misses are no alert."""
    assert kairos.analyse(push("10:00", "10:01", "10:02", "10:05")).times == []


@pytest.mark.parametrize("document", ["[]", " [ \n ] ", "\ufeff[]"])
def test_empty_input(kairos, document):
    result = kairos.analyse(document)
    assert result.returncode == 0
    assert result.counts == (0, 0, 0)
    assert result.services == []
    assert result.saved == "[]\n"
    assert "✅ No alerts detected." in result.stdout


def test_single_event(kairos):
    result = kairos.analyse(push("10:00"))
    assert result.counts == (1, 1, 0)
    assert result.alerts == []


def test_unordered_events(kairos):
    shuffled = [SILENT[index] for index in (2, 0, 3, 1)]
    assert kairos.analyse(shuffled).saved == kairos.analyse(SILENT).saved


def test_equal_timestamps(kairos):
    assert kairos.analyse(push("10:00", "10:00", "10:04", "10:04", "10:00")).times == ["10:03:00Z"]


def test_recovery_after_an_alert(kairos):
    """The count starts again with the heartbeat that ends the silence."""
    result = kairos.analyse(push("10:00", "10:04", "10:05", "10:07", "10:09"))
    assert result.times == ["10:03:00Z"]


def test_several_alerts_in_one_silence(kairos):
    result = kairos.analyse(push("10:00", "10:09:00.000001"))
    assert result.times == ["10:03:00Z", "10:06:00Z", "10:09:00Z"]
    assert {alert["last_seen"] for alert in result.alerts} == {"2025-08-04T10:00:00Z"}
    assert {alert["missed_count"] for alert in result.alerts} == {3}


def test_several_silences(kairos):
    result = kairos.analyse(push("10:00", "10:05", "10:10"))
    assert result.times == ["10:03:00Z", "10:08:00Z"]
    assert [alert["last_seen"][11:16] for alert in result.alerts] == ["10:00", "10:05"]


@pytest.mark.parametrize(
    "last, times", [("10:03", []), ("10:03:00.000001", ["10:03:00Z"]), ("10:02:59.999999", [])]
)
def test_exact_threshold(kairos, last, times):
    assert kairos.analyse(push("10:00", last)).times == times


@pytest.mark.parametrize(
    "last, times",
    [
        ("10:03:29", []),
        ("10:03:30", []),
        ("10:03:30.000001", ["10:03:00Z"]),
        ("10:06:30", ["10:03:00Z"]),
    ],
)
def test_late_heartbeat_and_tolerance(kairos, last, times):
    """The alert is at the time of the heartbeat that was missed, whatever the tolerance."""
    assert kairos.analyse(push("10:00", last), "--tolerance=30").times == times


def test_tolerance_beyond_the_interval(kairos):
    options = ("--interval=1s", "--tolerance=1h", "--allowed-misses=1")
    assert kairos.analyse(push("10:00", "11:00:01"), *options).times == []
    assert kairos.analyse(push("10:00", "11:00:02.5"), *options).times == ["10:00:01Z", "10:00:02Z"]


def test_a_heartbeat_between_the_expected_ones(kairos):
    """Expectation counts from the heartbeat that came."""
    assert kairos.analyse(push("10:00", "10:00:59", "10:04")).times == ["10:03:59Z"]


@pytest.mark.parametrize(
    "interval, misses, times",
    [
        ("250ms", "3", ["10:00:00.750000Z"]),
        ("1s", "1", ["10:00:01Z"]),
        ("500ms", "2", ["10:00:01Z"]),
        ("1", "2", []),
        ("5m", "1", []),
        ("1ms", "1249", ["10:00:01.249000Z"]),
        ("1ms", "1250", []),
    ],
)
def test_different_intervals(kairos, interval, misses, times):
    result = kairos.analyse(
        push("10:00", "10:00:01.25"), f"--interval={interval}", f"--allowed-misses={misses}"
    )
    assert result.times == times


def test_missed_count_is_the_allowed_misses(kairos):
    result = kairos.analyse(push("10:00", "10:30"), "--allowed-misses=7")
    assert [(alert["alert_at"][11:16], alert["missed_count"]) for alert in result.alerts] == [
        (time, 7) for time in ("10:07", "10:14", "10:21", "10:28")
    ]


# Silences of thousands of years

AGES = [{"service": "push", "timestamp": f"{year}-01-01T00:00:00Z"} for year in ("0001", "8001")]
AGE = (datetime(8001, 1, 1) - datetime(1, 1, 1)) // timedelta(milliseconds=1)


@pytest.mark.parametrize("misses", [1, 3, 1_000_000])
def test_too_many_alerts_are_found_by_arithmetic(kairos, misses):
    result = kairos.analyse(AGES, "--interval=1ms", f"--allowed-misses={misses}")
    assert (result.returncode, result.stdout, result.saved) == (1, "", None)
    assert str((AGE - 1) // misses) in result.stderr
    assert "--max-alerts" in result.stderr
    assert result.stderr.count("\n") == 1


def test_alerts_of_ages(kairos):
    result = kairos.analyse(AGES, "--interval=366d", "--allowed-misses=1")
    assert len(result.alerts) == (AGE - 1) // (366 * 86_400_000)
    start, step = datetime(1, 1, 1), timedelta(days=366)
    times = [
        (start + number * step).isoformat() + "Z" for number in range(1, len(result.alerts) + 1)
    ]
    assert [alert["alert_at"] for alert in result.alerts] == times


def test_the_widest_silence(kairos):
    """From the first moment to the last; the first alert may lie far beyond the calendar."""
    widest = [
        {"service": "push", "timestamp": time}
        for time in ("0001-01-01T00:00", "9999-12-31T23:59:59.999999")
    ]
    options = ("--interval=366d", "--tolerance=366d", "--allowed-misses=1000000")
    assert kairos.analyse(widest, *options).alerts == []
    result = kairos.analyse(widest, "--interval=366d", "--allowed-misses=9978")
    assert [alert["alert_at"] for alert in result.alerts] == ["9999-09-12T00:00:00Z"]


# --until


@pytest.mark.parametrize(
    "until, times",
    [
        ("2025-08-04T10:03:00Z", []),
        ("2025-08-04T10:03:00.000001Z", ["10:03:00Z"]),
        ("2025-08-04 12:04+02:00", ["10:03:00Z"]),
        ("2025-08-04t10:09:01z", ["10:03:00Z", "10:06:00Z", "10:09:00Z"]),
        ("2025-08-04T09:00", []),
        ("1754301840", ["10:03:00Z"]),
        ("1754301840000", ["10:03:00Z"]),
        ("1754301780.000001", ["10:03:00Z"]),
    ],
)
def test_until(kairos, until, times):
    assert kairos.analyse(push("10:00"), f"--until={until}").times == times


def test_until_leaves_out_what_is_later(kairos):
    """Later heartbeats are valid, and their services known, but they end no silence."""
    log = [*push("10:00", "10:02", "10:10"), event("sms", "11:00")]
    result = kairos.analyse(log, "--until=2025-08-04T10:06Z")
    assert result.counts == (4, 4, 0)
    assert result.services == ["push", "sms"]
    assert result.times == ["10:05:00Z"]


def test_until_is_not_later_than_itself(kairos):
    result = kairos.analyse(push("10:00", "10:04"), "--until=2025-08-04T10:04Z")
    assert result.times == ["10:03:00Z"]
    assert kairos.analyse(push("10:00", "10:03"), "--until=2025-08-04T10:03Z").times == []


def test_until_and_tolerance(kairos):
    options = ("--tolerance=30s", "--until")
    assert kairos.analyse(push("10:00"), *options, "2025-08-04T10:03:30Z").times == []
    assert kairos.analyse(push("10:00"), *options, "2025-08-04T10:03:30.000001Z").times == [
        "10:03:00Z"
    ]


def test_until_now(kairos):
    last = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=3, minutes=30)
    log = [{"service": "push", "timestamp": last.isoformat()}]
    assert kairos.analyse(log).alerts == []
    alerts = kairos.analyse(log, "--until=now", "--interval=1h").alerts
    assert [alert["alert_at"] for alert in alerts] == [
        f"{last + timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"
    ]


def test_until_the_ends_of_time(kairos):
    assert kairos.analyse(push("10:00"), "--until=0001-01-01T00:00Z").alerts == []
    result = kairos.analyse(push("10:00"), "--until=9999-12-31T23:59:59.999999Z")
    misses = (datetime.max - datetime(2025, 8, 4, 10)) // timedelta(seconds=60)
    assert result.returncode == 1
    assert str(misses // 3) in result.stderr
    assert kairos.analyse(push("10:00"), "--until=-62135596800000").alerts == []
