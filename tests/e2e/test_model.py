"""The program against the model, on logs that nobody would think of."""

import re

import pytest
from hypothesis import given

import strategies
from model import (
    MINUTE,
    Alert,
    BadInput,
    Log,
    Policy,
    count_alerts,
    detect,
    full_alerts,
    moment_of_text,
    read,
)

MAX_ALERTS = 2000
LOGGED = 20


@given(strategies.arrays())
def test_arrays(kairos, log):
    compare(kairos, log)


@given(strategies.ndjson())
def test_ndjson(kairos, log):
    compare(kairos, log)


@given(strategies.damaged_arrays())
def test_damaged_arrays(kairos, log):
    compare(kairos, log)


def compare(kairos, log):
    result = kairos.analyse(log.document, *log.options, f"--max-alerts={MAX_ALERTS}")
    try:
        expected = read(log.document)
    except BadInput:
        assert failed(result), result
        assert re.search(
            r": line \d+, column \d+, byte \d+: |empty", result.stderr.splitlines()[-1]
        )
        return
    until = None if log.until is None else moment_of_text(log.until)
    alerts = count_alerts(expected, log.policy, until)
    if alerts > MAX_ALERTS:
        assert failed(result), result
        assert str(alerts) in result.stderr and "--max-alerts" in result.stderr
        return
    assert result.returncode == 0, result
    assert result.alerts == full_alerts(detect(expected, log.policy, until))
    assert result.services == expected.services
    assert result.counts == (expected.total, expected.valid, len(expected.skipped))
    assert result.reasons == expected.reasons
    logged = [
        (skipped.event, skipped.byte, skipped.reason) for skipped in expected.skipped[:LOGGED]
    ]
    assert result.skipped == logged


def failed(result):
    return result.returncode == 1 and result.stdout == "" and result.saved is None


# The model itself, against figures worked out by hand.


def minute(text):
    return moment_of_text(f"2025-08-04T10:{text}Z")


@pytest.mark.parametrize(
    "last, tolerance, alerts",
    [
        ("05", 0, []),
        ("05:00.000001", 0, ["05"]),
        ("06", 0, ["05"]),
        ("08", 0, ["05"]),
        ("09", 0, ["05", "08"]),
        ("06", MINUTE, []),
    ],
)
def test_model_detects(last, tolerance, alerts):
    log = Log({"push": [minute("00"), minute(last), minute("02"), minute("01")]})
    policy = Policy(tolerance=tolerance)
    assert list(detect(log, policy)) == [
        Alert("push", minute(at), 3, minute("02")) for at in alerts
    ]
    assert count_alerts(log, policy) == len(alerts)


@pytest.mark.parametrize(
    "until, alerts", [("01", []), ("05", []), ("05:00.000001", ["05"]), ("09", ["05", "08"])]
)
def test_model_detects_until(until, alerts):
    log = Log({"push": [minute("02"), minute("30")]})
    expected = [Alert("push", minute(at), 3, minute("02")) for at in alerts]
    assert list(detect(log, Policy(), minute(until))) == expected


def test_model_reads():
    document = b"""[{"service": " Push ", "timestamp": "2025-08-04T12:00+02:00"},
        {"service": "push", "timestamp": 1754301600.0000019},
        {"service": "push", "timestamp": 1754301600000e-0}, {"timestamp": null}, 7]"""
    log = read(document)
    assert log.heartbeats == {"push": [1754301600_000000, 1754301600_000001, 1754301600_000000]}
    assert [(skipped.event, skipped.reason) for skipped in log.skipped] == [
        (4, "missing_service"), (5, "not_an_object")
    ]
    assert [document[skipped.byte - 1 :][:1] for skipped in log.skipped] == [b"{", b"7"]


@pytest.mark.parametrize(
    "text", ["", " ", "[", "[1,]", "[1 2]", "[]]", "[NaN]", "[01]", '["\t"]', "[\0]"]
)
def test_model_refuses(text):
    with pytest.raises(BadInput):
        read(text.encode())
