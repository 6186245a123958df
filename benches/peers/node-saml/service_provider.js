// A service provider as a user of @node-saml/node-saml writes it: express, SQLite.
//
// Its settings come from the environment (../src/sign_in/peer.rs); it is measured against Sidelight.
"use strict";

const fs = require("node:fs");
const express = require("express");
const { SAML } = require("@node-saml/node-saml");
const { serve, database, sessions } = require("./common.js");

serve(() => {
    const saml = new SAML({
        issuer: process.env.ENTITY_ID,
        callbackUrl: process.env.ACS_URL,
        idpCert: fs.readFileSync(process.env.IDP_CERTIFICATE, "utf8"),
        wantAssertionsSigned: true,
        // The identity provider signs assertions, as most do, and not the response around them.
        wantAuthnResponseSigned: false,
    });
    const connection = database();
    const user = connection.prepare("SELECT id FROM users WHERE email = ?").pluck();
    const use = connection.prepare("INSERT INTO used_assertions VALUES (?, ?) ON CONFLICT DO NOTHING");
    const begin = sessions(connection);
    // Uses the assertion's ID up and begins a session, both or neither.
    const store = connection.transaction((id, usedUntil, email) => {
        const found = user.get(email);
        if (found === undefined) throw new Error("no such user");
        if (use.run(id, usedUntil).changes === 0) throw new Error("this assertion was used already");
        return begin(found);
    });

    const app = express();
    app.post("/account/GetLoginKey.aspx", express.urlencoded({ extended: false }), async (request, response) => {
        try {
            const { profile } = await saml.validatePostResponseAsync(request.body);
            const assertion = profile.getAssertion().Assertion;
            const usedUntil = Math.ceil(Date.parse(assertion.Conditions[0].$.NotOnOrAfter) / 1000);
            const session = store.immediate(assertion.$.ID, usedUntil, profile.nameID);
            response.cookie("session", session, { httpOnly: true, secure: true, sameSite: "lax" });
            response.redirect(302, "/");
        } catch (error) {
            response.status(403).send(error.message);
        }
    });
    return app;
});
