"""Enrolment of a tablet: `POST /api/devices/enrol`. The one-time code is what lets it in; nobody is signed in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import RAISE, Schema, fields, validate

from server.accounts.actions import enrol
from server.accounts.enrolment import may_try, welcome
from server.console.web import now, office
from shared.values import DeviceId

blueprint = Blueprint("devices", __name__, url_prefix="/api/devices")

_KEY = validate.Regexp(r"\A[0-9a-f]{64}\Z")


class EnrolmentSchema(Schema):
    """What a tablet says of itself."""

    class Meta:
        unknown = RAISE

    code = fields.String(required=True, validate=validate.Length(13, 24))
    sign_key = fields.String(required=True, validate=_KEY)
    box_key = fields.String(required=True, validate=_KEY)
    label = fields.String(required=True, validate=validate.Length(1, 80))
    device = fields.String(load_default="", validate=validate.Length(0, 36))


@blueprint.post("/enrol")
def enrol_device() -> ResponseReturnValue:
    """Takes the code and the tablet's keys; answers with who it belongs to and the keys of the office."""
    given: dict[str, Any] = EnrolmentSchema().load(request.get_json(silent=True) or {})
    may_try(office(), request.remote_addr or "", now())
    with office().database.write() as session:
        device, person = enrol(
            session, office(), given["code"], DeviceId(given["device"]) or None, given["sign_key"], given["box_key"],
            given["label"], now(),
        )  # fmt: skip
        answer = welcome(session, device, person)
    return jsonify(answer), 201
