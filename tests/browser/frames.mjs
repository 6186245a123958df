// The sign-in page in a frame of another site, in a browser that blocks the cookies of such frames unless they are kept
// apart: shown and used on the group's allowed site, refused everywhere else.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const { BINARY, BROWSER, DATA, READY } = process.env;
const us = JSON.parse(readFileSync(READY, 'utf8')).url;
const sidelight = (...words) => execFileSync(BINARY, [...words, '--data', DATA], { stdio: 'pipe' });

/** A site whose one page frames an address of ours. */
async function site() {
    const server = createServer((request, answer) => {
        const framed = new URL(request.url, 'http://localhost').searchParams.get('framed') ?? '';
        answer.setHeader('Content-Type', 'text/html');
        answer.end(`<title>A site</title><iframe src="${us}${framed.replaceAll('"', '')}" width="600" height="700"></iframe>`);
    });
    await new Promise((ready) => server.listen(0, 'localhost', ready));
    return { server, origin: `http://localhost:${server.address().port}` };
}

const [allowed, other] = [await site(), await site()];
sidelight('group', 'sites', '12345', '--add', allowed.origin);
const browser = await chromium.launch({
    executablePath: BROWSER,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--test-third-party-cookie-phaseout'],
});

/** Opens a page of a site, and gives its frame when that has loaded what it loads. */
async function framed(page, on, path) {
    await page.goto(`${on.origin}/?framed=${encodeURIComponent(path)}`, { waitUntil: 'load' });
    return page.frames().find((frame) => frame !== page.mainFrame());
}

const form = (frame) => frame.getByLabel('Password').count();

try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const refused = [];
    page.on('console', (message) => {
        if (/frame-ancestors/.test(message.text())) refused.push(message.text());
    });
    const sessions = async () => (await context.cookies()).filter((cookie) => cookie.name === 'GSSNID');

    for (const naming of ['groupid=12345', 'partnerid=12345', 'idpid=12345', 'idpname=demo', 'idptoken=demo-account']) {
        const frame = await framed(page, allowed, `/login/default.aspx?${naming}`);
        assert.equal(await form(frame), 1, `${naming}: the form is shown`);
        assert.deepEqual(refused, [], naming);
        await framed(page, other, `/login/default.aspx?${naming}`);
        assert.equal(refused.length, 1, `${naming}: another site shows nothing`);
        refused.length = 0;
    }
    for (const path of ['/login/default.aspx', '/login/default.aspx?groupid=54321', '/console/sign-in']) {
        await framed(page, allowed, path);
        assert.equal(refused.length, 1, `${path} names no group`);
        refused.length = 0;
    }

    // In and out, all of it in the frame.
    const frame = await framed(page, allowed, '/login/default.aspx?groupid=12345');
    await frame.getByLabel('Glance Address').fill('admin.demo.glance.net');
    await frame.getByLabel('Password').fill('wrong password');
    await frame.getByRole('button', { name: 'Sign in' }).click();
    await frame.getByText('That did not work yet').waitFor();
    await frame.getByLabel('Password').fill('demo-password');
    await frame.getByRole('button', { name: 'Sign in' }).click();
    await frame.getByText('You are signed in').first().waitFor();
    const kept = await sessions();
    assert.equal(kept.length, 1, JSON.stringify(kept));
    assert.equal(kept[0].partitionKey, 'http://localhost', 'kept apart for the site that frames us');
    // The next frame of the same site knows who is there.
    const next = await framed(page, allowed, '/agentjoin/AgentJoin.aspx');
    await next.getByText('admin.demo.glance.net').first().waitFor();
    await next.getByRole('button', { name: 'Sign out' }).click();
    await next.getByLabel('Password').waitFor();
    assert.deepEqual(await sessions(), [], 'the cookie of the frame is gone');
    assert.deepEqual(refused, []);
} finally {
    await browser.close();
    for (const { server } of [allowed, other]) server.close();
}
console.log('The sign-in page is shown in a frame of the group\'s allowed sites, and of no other.');
