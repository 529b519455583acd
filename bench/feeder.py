#!/usr/bin/env python3
"""Keeps services alive: each beats once in an interval, in batches on a schedule.

Started by rows of bench/watch.py. The schedule is absolute: a batch that went out late delays none
after it. Some services of each batch can be mortal: after some rounds comes their last heartbeat,
whose timestamp lies up to the time between two batches in the past, so that their deadlines spread
over the whole interval, to the microsecond.

Its lines: "filled" when all services are there, "stopped" when all mortal ones have beaten for the
last time, and, after its input was closed, how late batches went out.
"""

import argparse
import json
import random
import select
import sys
import time
from collections.abc import Iterator

from connection import Connection
from heartbeats import events, fill, request, send, service_name, shuffled_batches
from measurement import Quantiles


class Batch:
    def __init__(self, numbers: list[int], mortal: int) -> None:
        self.size = len(numbers)
        self.mortal, self.others = numbers[:mortal], numbers[mortal:]
        self.all = request(events(numbers))
        self.living = events(self.others)
        self.rest = request(self.living)

    def last(self, moment: float, spread: float, chance: random.Random) -> bytes:
        """The mortal ones beat for the last time, each up to `spread` seconds before `moment`."""
        text = ",".join(
            f'{{"service":"{service_name(number)}",'
            f'"timestamp":{moment - chance.uniform(0, spread):.6f}}}'
            for number in self.mortal
        )
        return request(text.encode(), self.living)


def wait_until(due: float) -> bool:
    """Returns false when the input was closed."""
    pause = max(0.0, due - time.monotonic())
    return not select.select([sys.stdin], [], [], pause)[0]


def messages(batches: list[Batch], args: argparse.Namespace) -> Iterator[tuple[bytes, int]]:
    """What to send, for ever, and how many heartbeats it holds."""
    pause = args.interval / len(batches)
    chance = random.Random(2)
    rounds = 0
    while not args.mortal or rounds < args.rounds:
        yield from ((batch.all, batch.size) for batch in batches)
        rounds += 1
    for batch in batches:
        yield batch.last(time.time(), pause, chance), batch.size
    print("stopped", flush=True)
    while True:
        yield from ((batch.rest, len(batch.others)) for batch in batches)


def feed(connection: Connection, batches: list[Batch], args: argparse.Namespace) -> list[float]:
    """Returns how late each batch went out, in seconds."""
    late = []
    due = time.monotonic()
    for message, count in messages(batches, args):
        if not wait_until(due):
            break
        late.append(time.monotonic() - due)
        send(connection, message, count)
        due += args.interval / len(batches)
    return late


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--services", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True, help="heartbeats per request")
    parser.add_argument("--interval", type=float, required=True, help="seconds")
    parser.add_argument("--mortal", type=int, default=0, help="services of each batch")
    parser.add_argument("--rounds", type=int, default=1, help="before the mortal ones stop")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    batches = [
        Batch(numbers, args.mortal) for numbers in shuffled_batches(args.services, args.batch)
    ]
    with Connection(args.port) as connection:
        fill(connection, args.services)
        print("filled", flush=True)
        late = Quantiles.of(feed(connection, batches, args))
    print(json.dumps({"batches": late.count, "p99": late.p99, "max": late.max}))


if __name__ == "__main__":
    main()
