"""Signs in until both programs are killed, restores the replica, promotes it, and counts what was lost."""

import http.client
import json
import pathlib
import sqlite3
import subprocess
import sys
import time

BINARY, LITESTREAM, WORK = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
OLD, NEW, REPLICA = WORK / "old", WORK / "new", WORK / "replica"
ROUNDS = 3
running = []


def sidelight(*arguments, data, fails=False):
    done = subprocess.run([BINARY, *arguments, "--data", str(data)], capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) == fails, done
    return done.stderr if fails else done.stdout


def serve(data):
    log = open(WORK / f"{data.name}.log", "a")
    flags = ["--lab", "--plain-http", "--listen", "127.0.0.1:0", "--replica", str(REPLICA)]
    server = subprocess.Popen([BINARY, "serve", *flags, "--data", str(data)], stderr=log)
    running.append(server)
    sidelight("health", "--wait", "30", data=data)
    return server, json.loads((data / "ready.json").read_text())["url"]


class Client:
    """Signs in over one connection that is kept."""

    def __init__(self, url, data):
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        new = sidelight("login-key", "new", "--group", "12345", "--puid", "uniqueUserIdentifier", data=data)
        self.body = json.dumps({"partnerid": 12345, "partneruserid": "uniqueUserIdentifier", "loginkey": new.strip()})

    def sign_in(self):
        path = "/services/AuthorizationService.svc/rest/Authorize"
        self.connection.request("POST", path, self.body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def lost_in_a_round(number):
    for directory in (OLD, NEW, REPLICA):
        subprocess.run(["rm", "-rf", str(directory)], check=True)
    REPLICA.mkdir()
    server, url = serve(OLD)
    (WORK / "litestream.yml").write_text(
        f"dbs:\n  - path: {OLD}/sidelight.db\n    monitor-interval: 100ms\n    replica:\n      type: file\n      path: {REPLICA}/db\n"
        "      sync-interval: 100ms\n")
    log = open(WORK / "litestream.log", "a")
    replicating = subprocess.Popen([LITESTREAM, "replicate", "-config", str(WORK / "litestream.yml")], stdout=log, stderr=log)
    running.append(replicating)
    client = Client(url, OLD)
    # Until the first snapshot is there, nothing could be restored.
    until = time.monotonic() + 60
    while not any(REPLICA.glob("db/**/*.ltx")):
        assert time.monotonic() < until and replicating.poll() is None, (WORK / "litestream.log").read_text()
        client.sign_in()
    acknowledged, first = [], time.time()
    while time.time() - first < 3:
        client.sign_in()
        acknowledged.append(time.time())
    lost_at = time.time()
    for process in (server, replicating):
        process.kill()
        process.wait()

    NEW.mkdir(mode=0o700)
    restore = [LITESTREAM, "restore", "-config", str(WORK / "litestream.yml"), "-o", f"{NEW}/sidelight.db", f"{OLD}/sidelight.db"]
    subprocess.run(restore, check=True, capture_output=True, timeout=120)
    subprocess.run(["cp", "-p", f"{OLD}/sidelight.key", str(NEW)], check=True)
    (NEW / "sidelight.db").chmod(0o600)
    promoted = json.loads(sidelight("promote", "--replica", str(REPLICA), "--json", data=NEW))
    assert promoted["epoch"] == 1 and promoted["proof"] == "login_key_checked", promoted

    # The machine that was lost comes back, and does not serve.
    refused = sidelight("serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0", "--replica", str(REPLICA), data=OLD, fails=True)
    assert "replaced_by_another" in refused, refused
    # Nor does it when the replica cannot be read.
    away = WORK / "away"
    REPLICA.rename(away)
    refused = sidelight("serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0", "--replica", str(REPLICA), data=OLD, fails=True)
    assert "replica_unread" in refused, refused
    away.rename(REPLICA)

    server, url = serve(NEW)
    Client(url, NEW).sign_in()
    server.terminate()
    assert server.wait(30) == 0
    newest = last_row()
    last = max((at for at in acknowledged if at * 1000 <= newest), default=first)
    lost = sum(1 for at in acknowledged if at > last)
    print(f"round {number}: {len(acknowledged)} sign-ins acknowledged, {lost} lost, {lost_at - last:.2f} s")


def last_row():
    """When the newest sign-in in the restored access log was written, in milliseconds."""
    database = sqlite3.connect(f"{NEW}/sidelight.db")
    sql = ("SELECT max(at) FROM access_log WHERE operation = 'sign-in.login-key' AND id < "
           "(SELECT max(id) FROM access_log WHERE operation = 'backup.promote')")
    newest = database.execute(sql).fetchone()[0] or 0
    database.close()
    return newest + 1


try:
    for number in range(1, ROUNDS + 1):
        lost_in_a_round(number)
finally:
    for process in running:
        process.kill()
        process.wait()
print("A lost machine came back from its replica, and the old one did not serve any more.")
