"""Route 53 by moto, made to keep what Route 53 keeps: its conditions, and its doors.

    route53.py HOST PORT ZONE...      says `ZONE ID` of each hosted zone, and serves

moto deletes by name and type alone, whatever values and TTL a DELETE names, and leaves the first half of a batch done when the second
fails; with that, a test of our condition would prove nothing. And it takes any signature. Here, each is checked by botocore: the one
access key is AKIDEXAMPLE, its secret is "secret". A key AKIDREADER, with the secret "reader", may list and not change.
"""

import json
import sys

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam import access_control
from moto.route53 import models
from moto.route53.exceptions import Route53ClientError
from moto.server import main

SECRETS = {"AKIDEXAMPLE": "secret", "AKIDREADER": "reader"}
ACTIONS = {"AKIDEXAMPLE": "route53:*", "AKIDREADER": "route53:List*"}

def dotted(name):
    return name if name.endswith(".") else name + "."


def refuse(name, kind, why):
    raise Route53ClientError("InvalidChangeBatch", f"[Tried a record set [name='{name}', type='{kind}'] but {why}]")


def strict_change(self, zoneid, change_list):
    zone = self.get_hosted_zone(zoneid)
    present = {(dotted(r.name), r.type): (str(r.ttl), sorted(r.records)) for r in zone.rrsets}
    for change in change_list:
        wanted = change["ResourceRecordSet"]
        name, kind = key = (dotted(wanted["Name"]), wanted["Type"])
        value = (str(wanted.get("TTL")), sorted(r["Value"] for r in wanted.get("ResourceRecords", [])))
        if change["Action"] == "DELETE":
            if present.get(key) != value:
                refuse(name, kind, "the values provided do not match the current values")
            del present[key]
        elif change["Action"] == "CREATE":
            if key in present:
                refuse(name, kind, "it already exists")
            present[key] = value
        types = [k for n, k in present if n == name]
        if "CNAME" in types and len(types) > 1:
            refuse(name, kind, "it conflicts with other records with the same DNS name")
    for change in change_list:
        wanted = dict(change["ResourceRecordSet"], Name=dotted(change["ResourceRecordSet"]["Name"]))
        if change["Action"] == "DELETE":
            zone.delete_rrset(wanted)
        else:
            wanted["ResourceRecords"] = [r["Value"] for r in wanted["ResourceRecords"]]
            zone.add_rrset(wanted)


class Key:
    """What moto wants to know of an access key, and would look up among the users of its IAM."""

    def __init__(self, name):
        self.name = name
        self.arn = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/{name}"

    def create_credentials(self):
        return Credentials(self.name, SECRETS[self.name])

    def collect_policies(self):
        statement = {"Effect": "Allow", "Action": ACTIONS[self.name], "Resource": "*"}
        return [json.dumps({"Version": "2012-10-17", "Statement": [statement]})]


def key_named(account_id, partition, access_key_id, headers):
    if access_key_id not in SECRETS:
        raise access_control.CreateAccessKeyFailure(reason="InvalidId")
    return Key(access_key_id)


def request_as_signed(self):
    # moto takes a query for a body here, and then no GET with one is signed right.
    names = self._get_string_between("SignedHeaders=", ",", self._headers["Authorization"]).split(";")
    headers = self._create_headers_for_aws_request(names, self._headers)
    request = AWSRequest(method=self._method, url=self._path, data=self._body or b"", headers=headers)
    request.context["timestamp"] = headers["X-Amz-Date"]
    return request


models.Route53Backend.change_resource_record_sets = strict_change
access_control.create_access_key = key_named
access_control.IAMRequestBase._create_aws_request = request_as_signed
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

host, port, *zones = sys.argv[1:]
backend = models.route53_backends[DEFAULT_ACCOUNT_ID]["aws"]
for number, zone in enumerate(zones):
    made = backend.create_hosted_zone(dotted(zone), private_zone=False, caller_reference=str(number))
    print(zone, made.id.rpartition("/")[2], flush=True)
main(["-H", host, "-p", port])
