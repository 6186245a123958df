// What both servers share: the workers, the database, sessions and tokens.
"use strict";

const cluster = require("node:cluster");
const crypto = require("node:crypto");
const Database = require("better-sqlite3");

const WORKERS = 2;
// Seconds for which a session or a token lasts.
const LIFETIME = 3600;

/** Serves what `make` makes on both cores. */
function serve(make) {
    if (cluster.isPrimary) {
        for (let worker = 0; worker < WORKERS; worker += 1) cluster.fork();
    } else {
        make().listen(Number(process.env.PORT), "127.0.0.1");
    }
}

function database() {
    const connection = new Database(process.env.DATABASE, { timeout: 30_000 });
    connection.pragma("synchronous = FULL");
    return connection;
}

/** Prepares what writes the row of a session or a token; it gives back what the client holds. */
function sessions(connection) {
    const insert = connection.prepare("INSERT INTO sessions VALUES (?, ?, ?)");
    return (user) => {
        const token = crypto.randomBytes(32).toString("hex");
        insert.run(crypto.createHash("sha256").update(token).digest(), user, now() + LIFETIME);
        return token;
    };
}

/** Seconds since 1970. */
function now() {
    return Math.floor(Date.now() / 1000);
}

module.exports = { serve, database, sessions, now };
