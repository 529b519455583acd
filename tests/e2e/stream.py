"""A client of the event stream. Every event that it gets is held against the contract."""

import json
import re
from dataclasses import dataclass

from contract import contract

PATH = "/api/v1/stream"


@dataclass
class Event:
    id: str
    type: str
    data: dict

    @property
    def number(self):
        return int(self.id.rpartition("-")[2])


class Stream:
    """Follows the stream of SERVER. LAST_ID is of the last event that another stream got."""

    def __init__(self, server, query="", last_id=None):
        self.last_id = last_id
        self.comments = 0
        self.connection = server.connect()
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self.connection.request("GET", PATH + query, headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        assert self.response.headers["Cache-Control"] == "no-store"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.response.close()
        self.connection.close()

    def block(self):
        """The fields up to the next blank line; None at the end of the stream."""
        fields = {}
        while line := self.response.readline():
            text = line.decode().removesuffix("\n")
            if not text:
                self.last_id = fields.get("id", self.last_id)
                return fields
            name, _, value = text.partition(":")
            self.comments += name == ""
            fields[name] = value.removeprefix(" ")
        return None

    def event(self):
        """The next event; None at the end of the stream."""
        while (fields := self.block()) is not None:
            assert re.fullmatch("[0-9a-f]+-[0-9]+", self.last_id)
            assert fields.keys() <= {"", "retry", "id", "event", "data"}
            if "data" in fields:
                return event_of(self.last_id, fields)
        return None

    def begun(self):
        """Reads what it begins with: all that happens from now on will be told."""
        fields = self.block()
        assert fields.keys() == {"retry", "id"}
        return self

    def events(self, count):
        return [self.event() for _ in range(count)]

    def until(self, condition):
        """The events up to the first one with which CONDITION holds."""
        found = [self.event()]
        while not condition(found[-1]):
            found.append(self.event())
        return found

    def rest(self):
        """All that comes until the server ends the stream."""
        return list(iter(self.event, None))


def event_of(last_id, fields):
    data = json.loads(fields["data"])
    contract().check_event(PATH, fields["event"], data)
    return Event(last_id, fields["event"], data)


def is_gone(name):
    """Whether an event tells that the service is gone."""

    def is_it(event):
        return event.type == "status" and (event.data["service"], event.data["to"]) == (name, None)

    return is_it
