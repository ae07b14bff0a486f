"""The `threatexchange` package, unmodified: a line of JSON asks for one call, a line answers what came of it."""

import json
import sys

import requests
from threatexchange.exchanges.clients.fb_threatexchange.api import ThreatExchangeAPI
from threatexchange.exchanges.impl.fb_threatexchange_api import (
    FBThreatExchangeCheckpoint,
    FBThreatExchangeCollabConfig,
    FBThreatExchangeSignalExchangeAPI,
)
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.raw_text import RawTextSignal

CALLS = {}
STATE = {}


def call(function):
    CALLS[function.__name__] = function
    return function


def api(at):
    return ThreatExchangeAPI(at["token"], endpoint_override=f"{at['origin']}/v21.0")


@call
def groups(at):
    own = api(at)
    all = own.get_threat_privacy_groups_member()
    return {
        "member": [{"id": int(g.id), "name": g.name} for g in all],
        "owner": len(own.get_threat_privacy_groups_owner()),
        "same": all == [own.get_privacy_group(int(g.id)) for g in all],
    }


@call
def fetch(at, group, fresh=False):
    """One synchronisation as its host does it: deltas are merged, the checkpoint is kept."""
    if fresh:
        STATE.clear()
    checkpoint = STATE.get("checkpoint")
    collab = FBThreatExchangeCollabConfig(name="test", enabled=True, privacy_group=group)
    exchange = FBThreatExchangeSignalExchangeAPI(api(at), collab)
    updates = STATE.setdefault("updates", {})
    pages = []
    for delta in exchange.fetch_iter([], checkpoint):
        pages.append(len(delta.updates))
        exchange.naive_fetch_merge(updates, delta.updates)
        checkpoint = STATE["checkpoint"] = delta.checkpoint
    types = [PdqSignal, VideoMD5Signal, RawTextSignal]
    converted = exchange.naive_convert_to_signal_type(types, collab, updates)
    return {
        "pages": pages,
        "time": checkpoint.get_progress_timestamp(),
        "records": {
            f"{type} {indicator}": [
                {
                    "is_mine": o.is_mine,
                    "category": o.category.name,
                    "tags": sorted(o.tags),
                    "descriptor": str(o.descriptor_id),
                }
                for o in record.opinions
            ]
            for (type, indicator), record in updates.items()
            if record is not None
        },
        "signals": {t.get_name(): sorted(values) for t, values in converted.items()},
    }


@call
def submit(at, **parameters):
    return api(at).upload_threat_descriptor(parameters, False, False)[2]


@call
def react(at, descriptor, reaction):
    return api(at).react_to_threat_descriptor(descriptor, reaction)[2]


@call
def unreact(at, descriptor, reaction):
    return api(at).remove_reaction_from_threat_descriptor(descriptor, reaction)[2]


@call
def remove(at, descriptor):
    return api(at).delete_threat_descriptor(descriptor, False, False)[2]


@call
def descriptors(at, ids):
    return api(at).get_threat_descriptors(ids)


@call
def tag(at, text):
    return api(at).get_tag_id(text)


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
