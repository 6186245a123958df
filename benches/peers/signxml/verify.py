"""Verifies the signature of the same response with signxml, as the peer that Python users pick.

Only the signature is verified: signxml has no rules of SAML, so the comparison favours it.
"""

import pathlib
import time

from lxml import etree
from signxml import XMLVerifier

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "tests/fixtures/saml"
RESPONSE = (FIXTURES / "accepted/seven-kilobytes.xml").read_bytes()
CERTIFICATE = (FIXTURES / "keys/idp.cert.pem").read_text()
ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"


def verify() -> None:
    assertion = etree.fromstring(RESPONSE).find(ASSERTION)
    XMLVerifier().verify(assertion, x509_cert=CERTIFICATE, id_attribute="ID")


verify()
best = float("inf")
for _ in range(30):
    begun = time.perf_counter()
    for _ in range(5):
        verify()
    best = min(best, (time.perf_counter() - begun) / 5)
print(f"signxml    {best * 1e6:9.1f} µs (signature alone)")
