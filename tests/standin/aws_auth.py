# SPDX-License-Identifier: Apache-2.0
"""Stands in for what gives out AWS credentials, for tests.

STS (AssumeRole, AssumeRoleWithWebIdentity), the portal of IAM Identity Center,
the container endpoint and the instance metadata service, as their published
protocols have them; written from AWS' documentation alone. Every answer has
keys of its own, ASIA<KIND><n>, and keys that were given out may sign the next
AssumeRole, which is verified by sigv4.py.

POST /_auth sets attributes of AwsAuth below, as JSON.
"""
import json
import re
import time
from urllib.parse import parse_qs, unquote

import sigv4
from s3 import Answer

ROLES = "/latest/meta-data/iam/security-credentials/"
STS_XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def as_json(value, status=200):
    return Answer(status, {"Content-Type": "application/json"},
                  json.dumps(value).encode())


def text(status, body):
    return Answer(status, {"Content-Type": "text/plain"}, body.encode())


def sts_error(status, code, message):
    return Answer(status, {"Content-Type": "text/xml"}, (
        '<ErrorResponse xmlns="%s"><Error><Type>Sender</Type><Code>%s</Code>'
        "<Message>%s</Message></Error><RequestId>r-1</RequestId>"
        "</ErrorResponse>" % (STS_XMLNS, code, message)).encode())


class Lacks(Exception):
    """A request that the service refuses: STS code and message."""


class AwsAuth:
    def __init__(self, args):
        self.base_keys = {args.access_key: (args.secret, args.token)}
        self.clear()

    def clear(self):
        self.issued = dict(self.base_keys)
        self.count = 0
        self.life = 3600            # seconds that keys live
        self.fixed_end = 0          # or when all of them end
        self.regions = ["eu-west-1", "us-east-1"]
        self.web_token = "web-token-1"
        self.sso_token = "sso-token-1"
        self.container_token = None
        self.external_id = None     # wanted by the role `external`
        self.tokens = True          # IMDSv2 is there
        self.token_status = 404     # what an old service answers
        self.role = "instance-role"
        self.code = "Success"
        self.imds_tokens = set()

    def set(self, values):
        for name, value in values.items():
            if not hasattr(self, name):
                raise KeyError(name)
            setattr(self, name, value)

    def issue(self, kind, life=None):
        self.count += 1
        key = "ASIA%s%d" % (kind, self.count)
        self.issued[key] = ("secret/+" + key, "token==" + key)
        end = self.fixed_end or time.time() + (life or self.life)
        return key, "secret/+" + key, "token==" + key, end

    def answer(self, method, path, query, headers, body, now):
        path = unquote(path)
        if path == "/" and method == "POST":
            return self.sts(headers, body, now)
        if path == "/federation/credentials" and method == "GET":
            return self.portal(query, headers)
        if path.startswith("/container") and method == "GET":
            return self.container(headers)
        if path == "/latest/api/token" and method == "PUT":
            return self.imds_token(headers)
        if path.startswith(ROLES) and method == "GET":
            return self.imds(path[len(ROLES):], headers)
        return text(404, "no such path")

    # ---- STS ----

    def sts(self, headers, body, now):
        kind = headers.get("Content-Type", "")
        if not kind.startswith("application/x-www-form-urlencoded"):
            return sts_error(400, "InvalidAction", "not a form")
        form = {k: v[0] for k, v in parse_qs(body.decode(),
                                             strict_parsing=True).items()}
        try:
            return self.act(form, headers, body, now)
        except sigv4.Refused as bad:
            return sts_error(403, bad.code, bad.message)
        except Lacks as bad:
            return sts_error(403 if bad.args[0] == "AccessDenied" else 400,
                             *bad.args)

    def act(self, form, headers, body, now):
        action = form.get("Action")
        if form.get("Version") != "2011-06-15":
            raise Lacks("InvalidAction", "wrong version")
        if not SESSION_NAME.fullmatch(form.get("RoleSessionName", "")):
            raise Lacks("ValidationError", "bad RoleSessionName")
        if action == "AssumeRole":
            kind = "ROLE"
            signer = self.check_signature(headers, body, now)
        elif action == "AssumeRoleWithWebIdentity":
            kind = "WEB"
            signer = "somebody"
            if headers.get("Authorization"):
                raise Lacks("InvalidAction", "this one is not signed")
            if form.get("WebIdentityToken") != self.web_token:
                raise Lacks("InvalidIdentityToken", "the token is not ours")
        else:
            raise Lacks("InvalidAction", "no such action")
        role = form.get("RoleArn", "").rpartition("/")[2]
        if not form.get("RoleArn", "").startswith("arn:") or role == "denied":
            raise Lacks("AccessDenied", "User: %s is not authorized to "
                        "perform: sts:%s on resource: %s"
                        % (signer, action, form.get("RoleArn")))
        if role == "external" and form.get("ExternalId") != self.external_id:
            raise Lacks("AccessDenied", "the external id is wrong")
        life = int(form.get("DurationSeconds", self.life))
        key, secret, token, end = self.issue(kind, life)
        return Answer(200, {"Content-Type": "text/xml"}, (
            '<%sResponse xmlns="%s"><%sResult><AssumedRoleUser><Arn>%s</Arn>'
            "<AssumedRoleId>A:%s</AssumedRoleId></AssumedRoleUser>"
            "<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s"
            "</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s"
            "</Expiration></Credentials></%sResult></%sResponse>"
            % (action, STS_XMLNS, action, form["RoleArn"],
               form["RoleSessionName"], key, secret, token, iso(end), action,
               action)).encode())

    def check_signature(self, headers, body, now):
        words = headers.get("Authorization", "").partition("Credential=")[2]
        key = words.partition("/")[0]
        if key not in self.issued:
            raise Lacks("InvalidClientTokenId", "no such key")
        secret, token = self.issued[key]
        sigv4.verify("POST", "/", "", headers, body, keys={key: secret},
                     regions=self.regions, now=now, token=token,
                     service="sts")
        return key

    # ---- the others ----

    def portal(self, query, headers):
        form = parse_qs(query)
        if headers.get("x-amz-sso_bearer_token") != self.sso_token:
            return as_json({"message": "Session token not found"}, 401)
        if form["account_id"] != ["123456789012"] or (
                form["role_name"] != ["Reader+1"]):
            return as_json({"message": "No access"}, 403)
        key, secret, token, end = self.issue("SSO")
        return as_json({"roleCredentials": {
            "accessKeyId": key, "secretAccessKey": secret,
            "sessionToken": token, "expiration": int(end * 1000)}})

    def container(self, headers):
        if headers.get("Authorization") != self.container_token:
            return as_json({"code": "AccessDenied", "message": "no"}, 401)
        key, secret, token, end = self.issue("BOX")
        return as_json({"RoleArn": "arn", "AccessKeyId": key, "Token": token,
                        "SecretAccessKey": secret, "Expiration": iso(end)})

    def imds_token(self, headers):
        if not self.tokens:
            return text(self.token_status, "no tokens here")
        seconds = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            return text(400, "Bad Request")
        token = "imds-token-%d==" % len(self.imds_tokens)
        self.imds_tokens.add(token)
        return text(200, token)

    def imds(self, name, headers):
        if self.tokens and headers.get(
                "x-aws-ec2-metadata-token") not in self.imds_tokens:
            return text(401, "Unauthorized")
        if not self.role:
            return text(404, "Not Found")
        if not name:
            return text(200, self.role)
        if name != self.role:
            return text(404, "Not Found")
        if self.code != "Success":
            return as_json({"Code": self.code, "Message": "broken"})
        key, secret, token, end = self.issue("EC2")
        return as_json({"Code": "Success", "Type": "AWS-HMAC",
                        "LastUpdated": iso(time.time()), "AccessKeyId": key,
                        "SecretAccessKey": secret, "Token": token,
                        "Expiration": iso(end)})
