"""A service provider as a user of python3-saml writes it: Flask under gunicorn, SQLite.

Its settings come from the environment (../src/sign_in/peer.rs); it is measured against Sidelight.
"""

import hashlib
import os
import secrets
import sqlite3
import threading
import time
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.errors import OneLogin_Saml2_Error
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings

SESSION = 3_600  # Seconds for which a session lasts.
ACS = urlsplit(os.environ["ACS_URL"])

with open(os.environ["IDP_METADATA"], encoding="utf-8") as metadata:
    IDP = OneLogin_Saml2_IdPMetadataParser.parse(metadata.read())
# Read once: the toolkit's guide advises it over a dictionary that is checked anew for each request.
SETTINGS = OneLogin_Saml2_Settings(
    {
        "strict": True,
        "sp": {
            "entityId": os.environ["ENTITY_ID"],
            "assertionConsumerService": {"url": os.environ["ACS_URL"]},
        },
        "idp": IDP["idp"],
        "security": {"wantAssertionsSigned": True, "rejectDeprecatedAlgorithm": True},
    }
)

app = Flask(__name__)
own = threading.local()


def database() -> sqlite3.Connection:
    """A connection for each thread."""
    if not hasattr(own, "database"):
        own.database = sqlite3.connect(os.environ["DATABASE"], timeout=30, isolation_level=None)
        own.database.execute("PRAGMA synchronous = FULL")
    return own.database


@app.post("/account/GetLoginKey.aspx")
def acs() -> Response:
    # As it is behind a proxy that ends TLS: the public address is the configured one.
    prepared = {
        "https": "on",
        "http_host": ACS.netloc,
        "script_name": ACS.path,
        "query_string": ACS.query,
        "get_data": request.args,
        "post_data": request.form,
    }
    auth = OneLogin_Saml2_Auth(prepared, old_settings=SETTINGS)
    try:
        auth.process_response()
    except OneLogin_Saml2_Error as error:
        return Response(str(error), status=400)
    if auth.get_errors() or not auth.is_authenticated():
        return Response(str(auth.get_last_error_reason()), status=403)
    token = secrets.token_hex(32)
    used_until = auth.get_last_assertion_not_on_or_after()
    reason = store(auth.get_last_assertion_id(), used_until, auth.get_nameid(), token)
    if reason:
        return Response(reason, status=403)
    answer = redirect("/")
    answer.set_cookie("session", token, secure=True, httponly=True, samesite="Lax")
    return answer


def store(assertion_id: str, used_until: int, email: str, token: str) -> str | None:
    """Uses the assertion's ID up and begins a session, both or neither; says why if neither."""
    connection = database()
    connection.execute("BEGIN IMMEDIATE")
    try:
        user = connection.execute("SELECT id FROM users WHERE email = ?", (email,)).fetchone()
        if user is None:
            return "no such user"
        sql = "INSERT INTO used_assertions VALUES (?, ?) ON CONFLICT DO NOTHING"
        if connection.execute(sql, (assertion_id, used_until)).rowcount == 0:
            return "this assertion was used already"
        session = (hashlib.sha256(token.encode()).digest(), user[0], int(time.time()) + SESSION)
        connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", session)
        connection.execute("COMMIT")
        return None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
