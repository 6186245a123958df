// SimpleSAMLphp in a real browser: from our side by redirect and by POST, from its side, encrypted, with its key
// changed; the embedded result in a frame of another origin; without scripts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { chromium } from 'playwright-core';

const { SIDELIGHT_URL: us, SSP_URL: them, SSP: home, WORK: work } = process.env;
const login = `${us}/account/GetLoginKey.aspx?sso=1&idpid=12345`;
const account = '&redirect=/account/AccountSummary.aspx';

const host = (...words) => execFileSync(process.env.SIDELIGHT_BINARY,
    [...words, '--data', process.env.SIDELIGHT_DATA], { encoding: 'utf8' });
const sidelight = (...words) => host(...words, '--group', '12345');
const set = (...fields) => sidelight('sso', 'set', ...fields);
const state = (name, text) => writeFileSync(`${home}/${name}`, text);

const launch = { executablePath: process.env.BROWSER, args: ['--no-sandbox', '--disable-gpu', '--disable-quic'] };
const browser = await chromium.launch(launch);

async function visitor(options) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
    context.setDefaultTimeout(20_000);
    return context.newPage();
}

async function signIn(page, name = 'uma', password = 'umapass') {
    await page.locator('#username').fill(name);
    await page.locator('#password').fill(password);
    await page.locator('#password').press('Enter');
}

async function step(name, options, act) {
    const page = await visitor(options);
    try {
        await act(page);
        console.log(`ok   ${name}`);
    } catch (error) {
        console.log(`FAIL ${name} at ${page.url()}\n${(await page.content()).slice(0, 2000)}`);
        throw error;
    } finally {
        await page.context().close();
    }
}

const signedIn = async (page) => {
    await page.waitForURL(`${us}/account/AccountSummary.aspx`);
    assert.match(await page.locator('main').innerText(), /unique\.user\.demo\.glance\.net/);
};
const loginKey = async (page) => {
    await page.waitForURL(/GetLoginKey/i);
    await page.getByText('partneruserid=uniqueUserIdentifier~$1$').waitFor();
};

state('key', 'one');
state('encryption', '');
const metadata = await (await fetch(`${them}saml2/idp/metadata.php`)).text();
writeFileSync(`${work}/ssp.xml`, metadata);
console.log(sidelight('sso', 'metadata', `${work}/ssp.xml`).trim());
set('method=saml', 'endpoint_type=redirect', 'identity_attribute=mail', 'entity_id=glance.net/sp/1');

await step('from our side, by redirect', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page);
    await signedIn(page);
    const cookies = await page.context().cookies(us);
    assert.ok(cookies.some((c) => c.name === 'GSSNID' && c.httpOnly && c.secure), JSON.stringify(cookies));
});
await step('from our side, for a native client', {}, async (page) => {
    await page.goto(login);
    await signIn(page);
    await loginKey(page);
});
await step('the diagnostic page', {}, async (page) => {
    await page.goto(`${login}&test=11`);
    await signIn(page);
    await page.getByText('The sign-in would succeed').waitFor();
});
await step('somebody whom the group does not know', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page, 'nobody', 'nopass');
    await page.getByText('You could not be signed in.').waitFor();
    const incident = (await page.locator('main code').first().innerText()).trim();
    assert.ok(sidelight('sso', 'attempts').includes(incident));
});
set('endpoint_type=post');
await step('from our side, by POST', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page);
    await signedIn(page);
});
await step('by POST without scripts: a button', { javaScriptEnabled: false }, async (page) => {
    await page.goto(login + account);
    await page.getByRole('button', { name: 'Go on' }).click();
    // The request arrived; their own way back needs scripts.
    await page.locator('#username').waitFor();
});
await step('from its side', {}, async (page) => {
    await page.goto(`${them}saml2/idp/SSOService.php?spentityid=glance.net/sp/1`);
    await signIn(page);
    await loginKey(page);
});
const pem = sidelight('sso', 'own-key', 'make');
state('encryption', pem.split('\n').filter((line) => !line.startsWith('-')).join(''));
set('method=encrypted_saml', 'endpoint_type=redirect');
await step('encrypted', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page);
    await signedIn(page);
});
state('encryption', '');
await step('in the clear where encryption is wanted: refused', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page);
    await page.getByText('You could not be signed in.').waitFor();
});
set('method=saml');
state('key', 'two');
await step('signed by a key that is not there yet: refused', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page);
    await page.getByText('You could not be signed in.').waitFor();
});
sidelight('sso', 'key', 'add', `${work}/two.crt`);
await step('with the key changed', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page);
    await signedIn(page);
});

// The framing page is of another origin and the same site: Chromium's test contexts keep no third-party cookies.
const pair = { key: readFileSync(`${work}/two.key`), cert: readFileSync(`${work}/two.crt`) };
const frame = createServer(pair, (_, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end(`<script>addEventListener('message', (e) => {
        if (e.origin === '${us}') document.title = JSON.stringify(e.data);
    })</script><iframe src="${login}&mode=embedded&fmt=html"></iframe>`);
});
await new Promise((ready) => frame.listen(0, '127.0.0.1', ready));
const site = `https://127.0.0.1:${frame.address().port}`;
host('group', 'sites', '12345', '--add', site);
await step('embedded in a page of an allowed site', {}, async (page) => {
    await page.goto(login + account);
    await signIn(page);
    await signedIn(page);
    await page.goto(site);
    await page.waitForFunction(() => document.title.includes('glanceEvent'));
    const message = JSON.parse(await page.title());
    assert.equal(message.glanceEvent, 'authenticateSucceeded');
    assert.match(message.data.loginKey, /^partnerid=12345&partneruserid=uniqueUserIdentifier~\$1\$/);
});
frame.close();
await browser.close();
