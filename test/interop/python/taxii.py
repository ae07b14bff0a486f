"""OASIS taxii2-client, unmodified: a line of JSON asks for one call, a line answers what came of it."""

import json
import sys

import requests
from taxii2client.v21 import Collection, Server, as_pages

CALLS = {}


def call(function):
    CALLS[function.__name__] = function
    return function


def access(at):
    return {
        "verify": at.get("ca", True),
        "cert": (at["cert"], at["key"]) if "cert" in at else None,
        "user": at.get("user"),
        "password": at.get("password"),
    }


def collection(at):
    server = Server(f"{at['origin']}/taxii2/", **access(at))
    return next(one for one in server.default.collections if one.title == at["title"])


@call
def discovery(at):
    server = Server(f"{at['origin']}/taxii2/", **access(at))
    root = server.default
    return {
        "title": server.title,
        "roots": [one.url for one in server.api_roots],
        "versions": root.versions,
        "max_content_length": root.max_content_length,
        "collections": [
            {"title": c.title, "alias": c.alias, "can_read": c.can_read, "can_write": c.can_write}
            for c in root.collections
        ],
    }


@call
def pages(at, what, per_request, **filters):
    own = collection(at)
    function = own.get_objects if what == "objects" else own.get_manifest
    return [page.get("objects", []) for page in as_pages(function, per_request=per_request, **filters)]


@call
def get_object(at, id):
    return collection(at).get_object(id)


@call
def versions(at, id):
    return collection(at).object_versions(id)


@call
def by_alias(at, root, alias):
    return Collection(f"{at['origin']}/taxii2/{root}/collections/{alias}/", **access(at)).get_objects()


def resource(status):
    return {
        "id": status.id,
        "status": status.status,
        "success": status.success_count,
        "failure": status.failure_count,
        "successes": status.successes,
        "failures": status.failures,
    }


@call
def add(at, envelope):
    status = collection(at).add_objects(envelope, timeout=5)
    return resource(status)


@call
def status(at, id):
    return resource(Server(f"{at['origin']}/taxii2/", **access(at)).default.get_status(id))


@call
def delete(at, id):
    return collection(at).delete_object(id)


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
