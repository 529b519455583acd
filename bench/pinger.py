#!/usr/bin/env python3
"""Pings one service a thousand times a second over one connection, until its input is closed.

Started by rows of bench/watch.py. Then it prints, as JSON, when each ping was due (Unix time) and
how many seconds later it was answered. Pings that wait behind a slow one count from when they were
due as well.
"""

import json
import select
import sys
import time

from connection import Connection, get_request

PERIOD = 0.001


def ping(connection: Connection) -> list[tuple[float, float]]:
    request = get_request("/ping/pinged")
    offset = time.time() - time.monotonic()
    pings = []
    due = time.monotonic()
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        status, _ = connection.exchange(request)
        if status not in (200, 201):
            sys.exit(f"a ping was answered {status}")
        pings.append((due + offset, time.monotonic() - due))
        due += PERIOD
    return pings


def main() -> None:
    with Connection(int(sys.argv[1])) as connection:
        pings = ping(connection)
    print(json.dumps(pings))


if __name__ == "__main__":
    main()
