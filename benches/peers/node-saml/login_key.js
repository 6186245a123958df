// Login keys as a user of express checks them: an HMAC, the user looked up in SQLite, a token kept.
//
// Its settings come from the environment (../src/sign_in/peer.rs); it is measured against Sidelight.
"use strict";

const crypto = require("node:crypto");
const express = require("express");
const { serve, database, sessions, now } = require("./common.js");

const LONGEST_LIFE = 86_400;
const FORM = /^\$1\$(\d{10})\$([A-Za-z0-9_-]{43})$/;

serve(() => {
    const connection = database();
    const user = connection.prepare("SELECT id FROM users WHERE puid = ?").pluck();
    const begin = sessions(connection);
    // It takes the lock for writing at once: a transaction that reads first would fail beside another worker's.
    const signIn = connection.transaction((puid) => {
        const found = user.get(puid);
        return found === undefined ? null : begin(found);
    });

    const app = express();
    app.post("/services/AuthorizationService.svc/rest/Authorize", express.json(), (request, response) => {
        const { partnerid, partneruserid, loginkey } = request.body;
        const token = isGenuine(partnerid, partneruserid, loginkey) ? signIn.immediate(partneruserid) : null;
        if (token === null) response.status(403).json({ error: "this login key is not valid" });
        else response.json({ token });
    });
    return app;
});

function isGenuine(group, puid, loginKey) {
    const parts = FORM.exec(loginKey);
    if (parts === null || String(group) !== process.env.GROUP) return false;
    const [, expiry, signature] = parts;
    const left = Number(expiry) - now();
    if (left <= 0 || left > LONGEST_LIFE) return false;
    const mac = crypto.createHmac("sha256", process.env.API_KEY).update(`${group}${puid}1${expiry}`).digest();
    return crypto.timingSafeEqual(mac, Buffer.from(signature, "base64url"));
}
