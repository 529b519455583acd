"""What a timestamp stands for: the calendar, offsets, fractions, and numbers to the microsecond."""

import json
from datetime import datetime, timedelta

import pytest

from documents import heartbeats

MILLISECOND = timedelta(milliseconds=1)
MICROSECOND = timedelta(microseconds=1)


def assert_moment(kairos, json_value, moment):
    """JSON_VALUE stands for MOMENT (ISO 8601 in UTC), as the alert of the silence after it shows."""
    seen = datetime.fromisoformat(moment)
    document = f'[{{"service": "push", "timestamp": {json_value}}}]'
    until = (seen + MILLISECOND + MICROSECOND).isoformat()
    result = kairos.analyse(document, "--interval=1ms", "--allowed-misses=1", f"--until={until}")
    assert result.counts == (1, 1, 0)
    alert = {
        "alert_at": (seen + MILLISECOND).isoformat() + "Z",
        "missed_count": 1,
        "last_seen": seen.isoformat() + "Z",
    }
    assert result.alerts == [{"service": "push"} | alert]


def assert_invalid(kairos, json_value):
    good = heartbeats("push", "10:00", "10:04")
    document = json.dumps(good)[:-1] + f', {{"service": "push", "timestamp": {json_value}}}]'
    result = kairos.analyse(document)
    assert result.returncode == 0
    assert result.counts == (3, 2, 1)
    assert result.reasons == {"invalid_timestamp_format": 1}
    assert result.times == ["10:03:00Z"]


# The calendar


@pytest.mark.parametrize(
    "date",
    [
        "2024-02-29", "2000-02-29", "1600-02-29", "2400-02-29", "0004-02-29", "9996-02-29",
        "2025-02-28", "1900-02-28", "1900-03-01", "2025-12-31", "2026-01-01", "1969-12-31",
        "1970-01-01", "0001-01-01", "9999-12-30",
    ],
)
def test_real_dates(kairos, date):
    assert_moment(kairos, f'"{date}T12:34:56Z"', f"{date}T12:34:56")


@pytest.mark.parametrize(
    "date",
    [
        "2025-02-29", "1900-02-29", "2100-02-29", "2200-02-29", "0001-02-29", "9999-02-29",
        "2024-02-30", "2000-02-30", "2025-00-10", "2025-13-10", "2025-01-00", "2025-99-99",
        "0000-01-01", "0000-12-31",
    ],
)
def test_no_dates(kairos, date):
    assert_invalid(kairos, f'"{date}T12:34:56Z"')


LENGTHS = {1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


@pytest.mark.parametrize("month, days", LENGTHS.items())
def test_month_ends(kairos, month, days):
    assert_moment(kairos, f'"2025-{month:02}-{days}T23:59:59Z"', f"2025-{month:02}-{days}T23:59:59")
    assert_invalid(kairos, f'"2025-{month:02}-{days + 1}T00:00:00Z"')
    assert_invalid(kairos, f'"2025-{month:02}-32T00:00:00Z"')


def test_every_day_of_four_centuries(kairos):
    """Heartbeats each noon from 1900 to 2299 have no miss, and without one of them there is one."""
    noon = datetime(1900, 1, 1, 12)
    days = [(noon + timedelta(days=day)).isoformat() for day in range(400 * 365 + 97)]
    options = ("--interval=1d", "--allowed-misses=1")
    document = [{"service": "push", "timestamp": day} for day in days]
    assert kairos.analyse(document, *options).alerts == []
    gap = days.index("2000-02-29T12:00:00")
    alerts = kairos.analyse(document[:gap] + document[gap + 1 :], *options).alerts
    assert [alert["alert_at"] for alert in alerts] == ["2000-02-29T12:00:00Z"]


def test_every_year(kairos):
    """A silence from each year to the end of time; those of a million days raise an alert."""
    starts = {f"y{year}": datetime(year, 1 + year % 12, 1) for year in range(1, 10_000)}
    document = [{"service": name, "timestamp": start.isoformat()} for name, start in starts.items()]
    result = kairos.analyse(
        document, "--interval=1d", "--allowed-misses=1000000", "--until=9999-12-31T23:59:59"
    )
    assert result.counts == (9999, 9999, 0)
    last_seen = {alert["service"]: alert["last_seen"] for alert in result.alerts}
    assert last_seen == {
        name: start.isoformat() + "Z"
        for name, start in starts.items()
        if datetime.max - start > timedelta(days=1_000_000)
    }


# The time of day


@pytest.mark.parametrize("clock", ["00:00:00", "23:59:59", "12:59:59", "00:00:59"])
def test_clock(kairos, clock):
    assert_moment(kairos, f'"2025-08-04T{clock}Z"', f"2025-08-04T{clock}")


@pytest.mark.parametrize(
    "clock",
    [
        "24:00:00", "24:00", "25:00:00", "23:60:00", "23:60", "23:59:60", "23:59:61", "23:59:99",
        "00:00:60", "1:00:00", "01:0:00", "01:00:0", "01", "01:", "01:00:", "-1:00:00", "+1:00:00",
        "01:00:00.", "01:00.5", "01:00:00,5", "010:00:00", "01:00:00:00", "01.00.00", "0100",
        "010000", " 1:00:00", "01:00:00.-1", "01:00:00.+1", "01:00:00. 1",
    ],
)
def test_no_clock(kairos, clock):
    assert_invalid(kairos, f'"2025-08-04T{clock}Z"')


def test_a_leap_second_is_no_moment(kairos):
    assert_invalid(kairos, '"2016-12-31T23:59:60Z"')


# The form


@pytest.mark.parametrize(
    "text",
    [
        "2025-08-04T10:00:00Z", "2025-08-04T10:00:00", "2025-08-04t10:00:00z",
        "2025-08-04 10:00:00", "2025-08-04T10:00", "2025-08-04 10:00z", "2025-08-04T10:00:00.0",
        "2025-08-04T10:00:00." + "0" * 10_000 + "Z", "2025-08-04T10:00:00.0000009Z",
    ],
)
def test_forms(kairos, text):
    assert_moment(kairos, f'"{text}"', "2025-08-04T10:00:00")


@pytest.mark.parametrize(
    "text",
    [
        "2025-08-04", "2025-08-04T", "2025-08-04Z", "10:00:00Z", "2025-08-0410:00:00",
        "2025-08-04  10:00:00", "20250804T100000Z", "2025-W32-1T10:00:00Z", "2025-216T10:00:00Z",
        "25-08-04T10:00:00Z", "12025-08-04T10:00:00Z", "+2025-08-04T10:00:00Z",
        "-2025-08-04T10:00:00Z", "2025/08/04T10:00:00Z", "2025-8-04T10:00:00Z",
        "2025-08-4T10:00:00Z", "2025-08-04_10:00:00Z", " 2025-08-04T10:00:00Z",
        "2025-08-04T10:00:00Z ", "2025-08-04T10:00:00 Z", "2025-08-04T10:00:00ZZ",
        "2025-08-04T10:00:00Zx", "2025-08-04T10:00:00UTC", "2025-08-04T10:00:00 +00:00",
        "2025-08-04T10:00:00Z+00:00", "1754301600", "now", "\u0662025-08-04T10:00Z",
        "2025-08-04T10:00:00Z\0", "\0", "2025-08-04\u00a010:00:00Z", "2025-08-04\t10:00:00Z",
        "２０２５-08-04T10:00:00Z", "0x7E9-08-04T10:00Z",
    ],
)
def test_no_forms(kairos, text):
    assert_invalid(kairos, json.dumps(text))
    assert_invalid(
        kairos, json.dumps(text, ensure_ascii=False) if text.isprintable() else json.dumps(text)
    )


@pytest.mark.parametrize(
    "fraction, microseconds",
    [
        ("5", 500_000), ("000001", 1), ("123456", 123_456), ("1234569", 123_456),
        ("9" * 10_000, 999_999), ("00", 0), ("10", 100_000),
    ],
)
def test_fractions_are_cut(kairos, fraction, microseconds):
    """Forwards in time, also before 1970."""
    for second in ("2025-08-04T10:00:00", "1969-12-31T23:59:59", "0001-01-01T00:00:00"):
        moment = datetime.fromisoformat(second) + timedelta(microseconds=microseconds)
        assert_moment(kairos, f'"{second}.{fraction}Z"', moment.isoformat())


# Offsets


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2025-08-04T10:00:00+00:00", "2025-08-04T10:00:00"),
        ("2025-08-04T10:00:00-00:00", "2025-08-04T10:00:00"),
        ("2025-08-04T10:00:00+05:30", "2025-08-04T04:30:00"),
        ("2025-08-04T10:00:00.25-03:45", "2025-08-04T13:45:00.250000"),
        ("2025-08-04T10:00+23:59", "2025-08-03T10:01:00"),
        ("2025-08-04T10:00-23:59", "2025-08-05T09:59:00"),
        ("2025-08-01T00:00+00:01", "2025-07-31T23:59:00"),
        ("2025-07-31T23:59-00:01", "2025-08-01T00:00:00"),
        ("2024-03-01T00:30+01:00", "2024-02-29T23:30:00"),
        ("2025-03-01T00:30+01:00", "2025-02-28T23:30:00"),
        ("2024-02-29T23:30-01:00", "2024-03-01T00:30:00"),
        ("1900-02-28T23:30-01:00", "1900-03-01T00:30:00"),
        ("2026-01-01T05:00+05:30", "2025-12-31T23:30:00"),
        ("2025-12-31T20:00-05:30", "2026-01-01T01:30:00"),
        ("1970-01-01T00:00+23:59", "1969-12-31T00:01:00"),
        ("0001-01-01T23:59+23:59", "0001-01-01T00:00:00"),
        ("9999-12-31T00:00-23:58", "9999-12-31T23:58:00"),
    ],
)
def test_offsets(kairos, text, moment):
    assert_moment(kairos, f'"{text}"', moment)


@pytest.mark.parametrize(
    "offset",
    [
        "+24:00", "-24:00", "+00:60", "+23:60", "+99:99", "+5:30", "+05", "+0530", "+05:3",
        "+05:300", "05:30", "+", "-", "+-5:30", "--05:30", "+05:30Z", "+05:30:00", "+05.30",
        "\u221205:30", "+05:30 ", "z0",
    ],
)
def test_no_offsets(kairos, offset):
    assert_invalid(kairos, json.dumps("2025-08-04T10:00:00" + offset))


# The ends of time


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+00:01", "0001-01-01T23:58:59.999999+23:59",
        "9999-12-31T23:59:59-00:01", "9999-12-31T00:01:00-23:59", "10000-01-01T00:00:00Z",
        "0000-12-31T23:59:59-00:01", "9999-12-31T24:00:00Z",
    ],
)
def test_out_of_time(kairos, text):
    assert_invalid(kairos, f'"{text}"')


@pytest.mark.parametrize(
    "last",
    [
        '"9999-12-31T23:59:59.9999999Z"',
        '"9999-12-31T00:00:59.999999-23:59"',
        "253402300799999.9999",
    ],
)
def test_the_last_moment(kairos, last):
    """One interval before it, a microsecond more or less decides."""
    for before, alerts in (("998998", 1), ("998999", 0)):
        document = f"""[{{"service": "push", "timestamp": "9999-12-31T23:59:59.{before}Z"}},
            {{"service": "push", "timestamp": {last}}}]"""
        assert len(
            kairos.analyse(document, "--interval=1ms", "--allowed-misses=1").alerts
        ) == alerts


@pytest.mark.parametrize(
    "first",
    [
        '"0001-01-01T00:00:00Z"',
        '"0001-01-01T23:59:00+23:59"',
        "-62135596800000",
        "-62135596800000.0009",
    ],
)
def test_the_first_moment(kairos, first):
    assert_moment(kairos, first, "0001-01-01T00:00:00")


# Numbers


@pytest.mark.parametrize(
    "number, moment",
    [
        ("0", "1970-01-01T00:00:00"),
        ("-0", "1970-01-01T00:00:00"),
        ("-0.0e99", "1970-01-01T00:00:00"),
        ("0e99999999999999999999", "1970-01-01T00:00:00"),
        ("1754301600", "2025-08-04T10:00:00"),
        ("1754301600.0", "2025-08-04T10:00:00"),
        ("1754301600.25", "2025-08-04T10:00:00.250000"),
        ("1754301600.123456789", "2025-08-04T10:00:00.123456"),
        ("1754301600.999999999", "2025-08-04T10:00:00.999999"),
        ("1754301600.000001", "2025-08-04T10:00:00.000001"),
        ("1.7543016e9", "2025-08-04T10:00:00"),
        ("1.7543016E+0000009", "2025-08-04T10:00:00"),
        ("17543016000000e-4", "2025-08-04T10:00:00"),
        ("0.0000017543016e15", "2025-08-04T10:00:00"),
        ("1754301600123", "2025-08-04T10:00:00.123000"),
        ("1754301600123.4569", "2025-08-04T10:00:00.123456"),
        ("1.754301600123456e12", "2025-08-04T10:00:00.123456"),
        ("-1", "1969-12-31T23:59:59"),
        ("-0.5", "1969-12-31T23:59:59.500000"),
        ("-0.0000019", "1969-12-31T23:59:59.999999"),
        ("-0.0000009", "1970-01-01T00:00:00"),
        ("1e-7", "1970-01-01T00:00:00"),
        ("1e-6", "1970-01-01T00:00:00.000001"),
        ("19e-7", "1970-01-01T00:00:00.000001"),
        ("1e-99999999999999999999", "1970-01-01T00:00:00"),
        ("9007199254.740993", "2255-06-05T23:47:34.740993"),
        ("253402300799000", "9999-12-31T23:59:59"),
    ],
)  # fmt: skip
def test_numbers(kairos, number, moment):
    assert_moment(kairos, number, moment)


@pytest.mark.parametrize(
    "number, moment",
    [
        ("20000000000", "2603-10-11T11:33:20"),
        ("2e10", "2603-10-11T11:33:20"),
        ("20000000000.0", "2603-10-11T11:33:20"),
        ("19999999999.9999999999", "2603-10-11T11:33:19.999999"),
        ("20000000000.0000000001", "1970-08-20T11:33:20"),
        ("2.0000000000000000000000000000000000001e10", "1970-08-20T11:33:20"),
        ("20000000000." + "0" * 10_000 + "1", "1970-08-20T11:33:20"),
        ("20000000000." + "0" * 10_000, "2603-10-11T11:33:20"),
        ("20000000001", "1970-08-20T11:33:20.001000"),
        ("-20000000000", "1336-03-23T12:26:40"),
        ("-2e10", "1336-03-23T12:26:40"),
        ("-20000000000.0000000001", "1969-05-14T12:26:40"),
        ("-20000000001", "1969-05-14T12:26:39.999000"),
    ],
)
def test_seconds_and_milliseconds_part_at_2e10(kairos, number, moment):
    assert_moment(kairos, number, moment)


@pytest.mark.parametrize(
    "number, moment",
    [
        ("1754301600." + "1" * 10_000, "2025-08-04T10:00:00.111111"),
        ("17543016" + "0" * 9_992 + "e-9990", "2025-08-04T10:00:00"),
        ("0." + "0" * 9_990 + "17543016e10000", "2025-08-04T10:00:00"),
        ("0." + "0" * 9_990 + "17543016e+000000000000000000000000010000", "2025-08-04T10:00:00"),
    ],
    ids=["fraction", "negative exponent", "positive exponent", "long exponent"],
)
def test_ten_thousand_digits(kairos, number, moment):
    assert_moment(kairos, number, moment)


@pytest.mark.parametrize(
    "number",
    [
        "1e400", "-1e400", "1e99999999999999999999", "253402300800000", "-62135596800001",
        "-62135596800000.001", "1e15", "2.6e14", "9223372036854775807", "-9223372036854775808",
        "9223372036854775808", "18446744073709551616", "1" * 10_000,
    ],
)
def test_numbers_out_of_time(kairos, number):
    assert_invalid(kairos, number)


def test_times_are_written_with_a_fraction_only_where_there_is_one(kairos):
    log = heartbeats("push", "10:00", "10:04", "10:04:00.5", "10:08:00.5")
    assert kairos.analyse(log).times == ["10:03:00Z", "10:07:00.500000Z"]
