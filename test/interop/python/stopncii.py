"""StopNCII's client of the `threatexchange` package, unmodified: a line of JSON asks for one call, a line answers."""

import json
import sys

import requests
from threatexchange.exchanges.clients.stopncii import api as stopncii
from threatexchange.exchanges.collab_config import CollaborationConfigBase
from threatexchange.exchanges.impl.stop_ncii_api import StopNCIISignalExchangeAPI

CALLS = {}
STATE = {}


def call(function):
    CALLS[function.__name__] = function
    return function


@call
def fetch(fresh=False):
    """One synchronisation as its host does it; where it is, the environment says."""
    if fresh:
        STATE.clear()
    collab = CollaborationConfigBase(name="test", api="stopncii", enabled=True)
    exchange = StopNCIISignalExchangeAPI.for_collab(collab)
    values = STATE.setdefault("values", {})
    pages = []
    for delta in exchange.fetch_iter([], STATE.get("checkpoint")):
        pages.append(len(delta.updates))
        exchange.naive_fetch_merge(values, delta.updates)
        STATE["checkpoint"] = delta.checkpoint
    return {
        "pages": pages,
        "time": STATE["checkpoint"].get_progress_timestamp(),
        "values": {
            f"{type} {value}": {
                "category": metadata.get_as_aggregate_opinion().category.name,
                "feedback": [[f.source, f.feedbackValue.value] for f in metadata.feedbacks],
            }
            for (type, value), metadata in values.items()
        },
    }


def client(at):
    endpoints = stopncii.StopNCIIEndpoint
    keys = {endpoints.SubmitHashes: "any", endpoints.SubmitFeedback: "any"}
    return stopncii.StopNCIIAPI(at["secret"], "any", keys, f"{at['origin']}/stopncii/v1")


@call
def submit(at, hash):
    client(at).submit_hash(stopncii.StopNCIISignalType.ImagePDQ, hash)


@call
def feedback(at, hash, value):
    client(at).submit_feedback(stopncii.StopNCIISignalType.ImagePDQ, hash, stopncii.StopNCIICSPFeedbackValue(value))


@call
def pages(at, size, start=10):
    """By the client's own page size, which its exchange does not set."""
    found, token = [], ""
    while True:
        page = client(at).fetch_hashes(page_size=size, start_timestamp=start, next_page=token)
        found.append([record.hashValue for record in page.hashRecords])
        token = page.nextPageToken or ""
        if not page.hasMoreRecords:
            return {"pages": found, "next": page.nextSetTimestamp}


for line in sys.stdin:
    asked = json.loads(line)
    name = asked.pop("call")
    try:
        told = {"answer": CALLS[name](**asked)}
    except requests.exceptions.HTTPError as error:
        told = {"status": error.response.status_code, "error": error.response.text}
    except Exception as error:  # what the client itself says is part of what is tested
        told = {"raised": type(error).__name__, "says": str(error)}
    print(json.dumps(told), flush=True)
