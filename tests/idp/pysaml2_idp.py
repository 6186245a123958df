"""pysaml2 as the identity provider: from our side by redirect and by POST, from its side, encrypted, rotated."""

import base64
import html
import http.cookiejar
import json
import os
import re
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, sigver
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
from saml2.server import Server

US, WORK = os.environ["SIDELIGHT_URL"], os.environ["WORK"]
ACS = f"{US}/account/GetLoginKey.aspx?sso=1&idpid=12345"
IDP = "https://pysaml2.example/idp"
WANTED = "partnerid=12345&partneruserid=uniqueUserIdentifier~$1$"


def sidelight(*words):
    command = [os.environ["SIDELIGHT_BINARY"], *words, "--group", "12345", "--data", os.environ["SIDELIGHT_DATA"]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), jar, Stay)

    def fetch(self, url, form=None):
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with self.opener.open(url, data) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read().decode()


def provider(key):
    context = {
        "entityid": IDP,
        "key_file": f"{WORK}/{key}.key",
        "cert_file": f"{WORK}/{key}.crt",
        "xmlsec_binary": "/usr/bin/xmlsec1",
        "metadata": {"local": [f"{WORK}/sp.xml"]},
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [
                    ("https://pysaml2.example/sso", BINDING_HTTP_REDIRECT),
                    ("https://pysaml2.example/sso", BINDING_HTTP_POST),
                ]},
                "name_id_format": [NAMEID_FORMAT_EMAILADDRESS],
                "policy": {"default": {"lifetime": {"minutes": 5}}},
            }
        },
    }
    return Server(config=IdPConfig().load(context))


def answer(server, request_id, encrypt=None, sha1=False):
    response = server.create_authn_response(
        {"mail": ["uma@example.com"], "givenName": ["Uma"]},
        in_response_to=request_id,
        destination=ACS,
        sp_entity_id="glance.net/sp/1",
        name_id=NameID(format=NAMEID_FORMAT_EMAILADDRESS, text="uma@example.com"),
        authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": IDP},
        sign_response=True,
        sign_assertion=True,
        sign_alg="http://www.w3.org/" + ("2000/09/xmldsig#rsa-sha1" if sha1 else "2001/04/xmldsig-more#rsa-sha256"),
        digest_alg="http://www.w3.org/" + ("2000/09/xmldsig#sha1" if sha1 else "2001/04/xmlenc#sha256"),
        encrypt_assertion=bool(encrypt),
        encrypted_advice_attributes=False,
        encrypt_cert_assertion=encrypt,
    )
    return base64.b64encode(str(response).encode()).decode()


def by_redirect(server, browser):
    status, headers, _ = browser.fetch(ACS)
    assert status == 302, status
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)
    request = server.parse_authn_request(query["SAMLRequest"][0], BINDING_HTTP_REDIRECT)
    return request.message.id, query["RelayState"][0]


def by_post(server, browser):
    status, _, page = browser.fetch(ACS)
    assert status == 200, status
    fields = {n: html.unescape(v) for n, v in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    request = server.parse_authn_request(fields["SAMLRequest"], BINDING_HTTP_POST)
    return request.message.id, fields["RelayState"]


def check(name, status, wanted, text=""):
    assert status == wanted, f"{name}: {status}\n{text}\n{sidelight('sso', 'attempts')}"
    assert wanted != 200 or text.startswith(WANTED), text
    print(f"ok   {name}")


sidelight("sso", "set", "method=saml", "identity_attribute=mail", "entity_id=glance.net/sp/1")
_, _, sp = Browser().fetch(f"{US}/saml/metadata?idpid=12345")
open(f"{WORK}/sp.xml", "w").write(sp)
server = provider("one")
open(f"{WORK}/pysaml2.xml", "w").write(str(entity_descriptor(server.config)))
print(sidelight("sso", "metadata", f"{WORK}/pysaml2.xml").strip())

# Signed attributes of pysaml2 are named by URI.
sidelight("sso", "set", "identity_attribute=urn:oid:0.9.2342.19200300.100.1.3")
for kind, begin in [("redirect", by_redirect), ("post", by_post)]:
    sidelight("sso", "set", f"endpoint_type={kind}")
    browser = Browser()
    request, relay_state = begin(server, browser)
    form = {"SAMLResponse": answer(server, request), "RelayState": relay_state}
    status, _, text = browser.fetch(ACS, form)
    check(f"from our side, by {kind}", status, 200, text)
    check("the same again: refused", browser.fetch(ACS, form)[0], 403)

status, _, text = Browser().fetch(ACS, {"SAMLResponse": answer(server, None)})
check("from its side", status, 200, text)

check("with SHA-1: refused", Browser().fetch(ACS, {"SAMLResponse": answer(server, None, sha1=True)})[0], 403)
sidelight("sso", "set", "allow_sha1=true")
status, _, text = Browser().fetch(ACS, {"SAMLResponse": answer(server, None, sha1=True)})
check("with SHA-1, where the group takes it", status, 200, text)
sidelight("sso", "set", "allow_sha1=false")

certificate = sidelight("sso", "own-key", "make")
sidelight("sso", "set", "method=encrypted_saml")
bare = "".join(line for line in certificate.splitlines() if not line.startswith("-"))
check("encrypted with triple DES, its default: refused",
      Browser().fetch(ACS, {"SAMLResponse": answer(server, None, encrypt=bare)})[0], 403)
sigver.pre_encryption_part.__kwdefaults__["msg_enc"] = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
for owner in [sigver.CryptoBackendXmlSec1, sigver.SecurityContext]:
    owner.encrypt_assertion.__defaults__ = ("aes-256", *owner.encrypt_assertion.__defaults__[1:])
status, _, text = Browser().fetch(ACS, {"SAMLResponse": answer(server, None, encrypt=bare)})
check("encrypted", status, 200, text)
check("in the clear where encryption is wanted: refused",
      Browser().fetch(ACS, {"SAMLResponse": answer(server, None)})[0], 403)
sidelight("sso", "set", "method=saml")

server = provider("two")
check("signed by a key that is not there yet: refused",
      Browser().fetch(ACS, {"SAMLResponse": answer(server, None)})[0], 403)
sidelight("sso", "key", "add", f"{WORK}/two.crt")
status, _, text = Browser().fetch(ACS, {"SAMLResponse": answer(server, None)})
check("with the key changed", status, 200, text)
used = [k["used_at"] for k in json.loads(sidelight("sso", "show", "--json"))["keys"]]
assert all(used), used
sidelight("sso", "set", "method=off")
for attempt in json.loads(sidelight("sso", "show", "--json"))["keys"]:
    sidelight("sso", "key", "remove", attempt["fingerprint"])
for own in json.loads(sidelight("sso", "show", "--json"))["own_keys"]:
    sidelight("sso", "own-key", "remove", str(own["position"]))
