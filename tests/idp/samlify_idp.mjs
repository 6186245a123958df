// samlify as the identity provider: from our side by redirect and by POST, from its side, encrypted, rotated.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import samlify from 'samlify';

const { SIDELIGHT_URL: us, WORK: work } = process.env;
const acs = `${us}/account/GetLoginKey.aspx?sso=1&idpid=12345`;
const entity = 'https://samlify.example/idp';
// Our requests were checked by others; this is about its responses.
samlify.setSchemaValidator({ validate: () => Promise.resolve('ok') });

const sidelight = (...words) => execFileSync(process.env.SIDELIGHT_BINARY,
    [...words, '--group', '12345', '--data', process.env.SIDELIGHT_DATA], { encoding: 'utf8' });
const set = (...fields) => sidelight('sso', 'set', ...fields);
const shown = () => JSON.parse(sidelight('sso', 'show', '--json'));

const template = samlify.SamlLib.defaultLoginResponseTemplate;
function provider(key, encrypt) {
    return samlify.IdentityProvider({
        entityID: entity,
        privateKey: readFileSync(`${work}/${key}.key`),
        signingCert: readFileSync(`${work}/${key}.crt`, 'utf8').replace(/-.*-|\s/g, ''),
        isAssertionEncrypted: encrypt,
        dataEncryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
        messageSigningOrder: 'sign-then-encrypt',
        nameIDFormat: ['urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'],
        singleSignOnService: [
            { Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', Location: 'https://samlify.example/sso' },
            { Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST', Location: 'https://samlify.example/sso' },
        ],
        loginResponseTemplate: {
            context: template.context,
            attributes: [{
                name: 'mail', valueTag: 'mail', valueXsiType: 'xs:string',
                nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
            }],
        },
    });
}
const requester = async () => samlify.ServiceProvider({
    metadata: (await (await fetch(`${us}/saml/metadata?idpid=12345`)).text()),
    wantMessageSigned: false,
});

/** Makes its response to a request, or to none. */
async function answered(idp, request) {
    const sp = await requester();
    const now = new Date();
    const later = new Date(now.getTime() + 300_000).toISOString();
    const fill = (text) => {
        const values = {
            ID: `_${randomUUID()}`, AssertionID: `_${randomUUID()}`, Destination: acs, Audience: 'glance.net/sp/1',
            AudienceRestriction: 'glance.net/sp/1', SubjectRecipient: acs, AssertionConsumerServiceURL: acs,
            NameIDFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress', NameID: 'uma@example.com',
            Issuer: entity, IssueInstant: now.toISOString(), StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
            ConditionsNotBefore: now.toISOString(), ConditionsNotOnOrAfter: later,
            SubjectConfirmationDataNotOnOrAfter: later, InResponseTo: request?.id ?? '', attrMail: 'uma@example.com',
        };
        const statement = `<saml:AuthnStatement AuthnInstant="${now.toISOString()}"><saml:AuthnContext>` +
            '<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password' +
            '</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>';
        text = text.replace('{AuthnStatement}', statement);
        // Whoever answers no request must not say that it does.
        if (!request) text = text.replaceAll(' InResponseTo="{InResponseTo}"', '');
        return { id: values.ID, context: samlify.SamlLib.replaceTagsByValue(text, values) };
    };
    const response = await idp.createLoginResponse(sp, { extract: { request: { id: request?.id ?? '' } } }, 'post',
        { email: 'uma@example.com' }, fill);
    return response.context;
}

/** A browser's cookies, by hand. */
async function begun() {
    const answer = await fetch(acs, { redirect: 'manual' });
    const cookie = answer.headers.get('set-cookie').split(';')[0];
    const sp = await requester();
    const idp = provider('one', false);
    const location = answer.headers.get('location');
    let parsed;
    if (location) {
        const query = Object.fromEntries(new URL(location).searchParams);
        parsed = await idp.parseLoginRequest(sp, 'redirect', { query });
    } else {
        const body = { SAMLRequest: /name="SAMLRequest" value="([^"]*)"/.exec(await answer.text())[1] };
        parsed = await idp.parseLoginRequest(sp, 'post', { body });
    }
    return { cookie, request: { id: parsed.extract.request.id } };
}

async function posted(response, cookie = '') {
    const answer = await fetch(acs, {
        method: 'POST', headers: { cookie }, body: new URLSearchParams({ SAMLResponse: response }),
    });
    return [answer.status, await answer.text()];
}

async function check(name, wanted, [status, text]) {
    assert.equal(status, wanted, `${name}: ${status}\n${sidelight('sso', 'attempts')}`);
    if (wanted === 200) assert.ok(text.startsWith('partnerid=12345&partneruserid=uniqueUserIdentifier~$1$'), text);
    console.log(`ok   ${name}`);
}

writeFileSync(`${work}/samlify.xml`, provider('one', false).getMetadata());
console.log(sidelight('sso', 'metadata', `${work}/samlify.xml`).trim());
set('method=saml', 'identity_attribute=mail');
for (const kind of ['redirect', 'post']) {
    set(`endpoint_type=${kind}`);
    const { cookie, request } = await begun();
    await check(`from our side, by ${kind}`, 200, await posted(await answered(provider('one', false), request), cookie));
}
await check('from its side', 200, await posted(await answered(provider('one', false))));
sidelight('sso', 'own-key', 'make');
set('method=encrypted_saml');
await check('encrypted', 200, await posted(await answered(provider('one', true))));
await check('in the clear where encryption is wanted: refused', 403, await posted(await answered(provider('one', false))));
set('method=saml');
await check('signed by a key that is not there yet: refused', 403, await posted(await answered(provider('two', false))));
sidelight('sso', 'key', 'add', `${work}/two.crt`);
await check('with the key changed', 200, await posted(await answered(provider('two', false))));
set('method=off');
for (const key of shown().keys) sidelight('sso', 'key', 'remove', key.fingerprint);
for (const own of shown().own_keys) sidelight('sso', 'own-key', 'remove', String(own.position));
