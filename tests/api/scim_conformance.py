"""Runs scim2-tester against a server and fails on any finding that is not one of our documented choices."""

import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

# (check, part of the reason, why). Each stands in docs/compatibility.md as well.
OUR_CHOICES = [
    ("check_remove_attribute", "'active'", "a user is active or not: a removal leaves it as it is"),
]


def is_our_choice(result):
    return any(title == result.title and part in (result.reason or "") for title, part, _ in OUR_CHOICES)


http = Client(
    base_url=os.environ["SIDELIGHT_SCIM_URL"],
    headers={"Authorization": "Bearer " + os.environ["SIDELIGHT_SCIM_TOKEN"]},
)
results = check_server(SyncSCIMClient(http))
failed = 0
for result in results:
    if result.status in (Status.SUCCESS, Status.SKIPPED):
        continue
    expected = is_our_choice(result)
    failed += not expected
    print("our choice" if expected else result.status.name, result.title, "-", result.reason)
passed = sum(result.status == Status.SUCCESS for result in results)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
