// One walk through the console: claim, group, user, login key, workbench, access log, a refusal explained.
// First without scripts, by mouse; then by keyboard alone; then every page is judged by axe-core for WCAG
// 2.2 AA in light and dark, wide and narrow, and must not scroll sideways.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const claim = process.env.CLAIM;
const origin = new URL(claim).origin;
const password = 'correct horse';
const browser = await chromium.launch({
    executablePath: process.env.BROWSER,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
});
const failures = [];
let loginKey;
let joe;
let openLink;
let uploads = [];

async function visitor(options) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.on('response', (answer) => {
        if (answer.status() >= 500) failures.push(`${answer.status()} ${answer.url()}`);
    });
    page.on('requestfailed', (request) => {
        // An upload's page looks again every second, and may do so at the moment at which we do: the later one wins.
        const looksAgain = request.isNavigationRequest() && /\/users\/upload\//.test(request.url());
        if (!(looksAgain && request.failure()?.errorText === 'net::ERR_ABORTED')) failures.push(`not loaded: ${request.url()}`);
    });
    page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) failures.push(message.text());
    });
    return page;
}

async function says(page, words) {
    const text = await page.locator('main').innerText();
    assert.ok(text.includes(words), `"${words}" is not on ${page.url()}:\n${text}`);
}

const button = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function byMouseWithoutScripts() {
    const page = await visitor({ javaScriptEnabled: false });
    await page.goto(claim);
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByLabel('The password again').fill('short');
    await button(page, 'Claim this appliance');
    await says(page, 'That did not work yet');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('The password again').fill(password);
    await button(page, 'Claim this appliance');
    await says(page, 'You are now the operator of this appliance.');

    await page.goto(`${origin}/console/groups/new`);
    await page.getByLabel('Group ID').fill('777');
    await page.getByLabel('Name', { exact: true }).fill('Acme <b>&');
    await button(page, 'Create group');
    await says(page, 'Acme <b>&');

    const menu = page.getByRole('navigation', { name: 'Group' });
    await menu.getByRole('link', { name: 'API key' }).click();
    await page.getByLabel('Your own API key').fill('mySecretApiKey');
    await button(page, 'Use my own key');
    await says(page, 'The API key is set.');
    await button(page, 'Show the API key');
    await says(page, 'mySecretApiKey');

    await menu.getByRole('link', { name: 'Roles' }).click();
    await page.getByRole('link', { name: 'New role' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Agents');
    await page.getByLabel('viewVideo').check();
    await button(page, 'Create role');
    await says(page, 'The role Agents is created.');

    await menu.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('link', { name: 'New user' }).first().click();
    await page.locator('#f-address').fill('joe.green.acme.glance.net');
    await page.locator('#f-puid').fill('joe');
    await page.locator('#f-role').selectOption({ label: 'Agents' });
    await button(page, 'Create user');
    await says(page, 'joe.green.acme.glance.net is created.');
    // As long as they may be: no table scrolls sideways for it.
    await page.goto(`${origin}/console/groups/777/users/new`);
    await page.locator('#f-address').fill(`${'a'.repeat(63)}.${'b'.repeat(63)}`);
    await page.locator('#f-puid').fill('x'.repeat(255));
    await button(page, 'Create user');
    await says(page, 'is created.');
    await page.goto(`${origin}/console/groups/777/users?search=joe`);
    await page.locator('td a.primary').first().click();

    await page.getByRole('link', { name: 'Login key', exact: true }).click();
    await button(page, 'Make login key');
    const key = await page.getByLabel('Login key', { exact: true }).first().innerText();
    assert.match(key, /^\$1\$\d{10}\$[\w-]{43}$/);
    await button(page, 'Check');
    await says(page, 'Accepted.');
    await page.locator('#f-check_puid').fill('JOE');
    await button(page, 'Check');
    await says(page, 'Rejected.');
    loginKey = key;

    const refused = await page.request.post(`${origin}/services/AuthorizationService.svc/rest/Authorize`, {
        form: { partnerid: '777', partneruserid: 'nobody', loginkey: key },
    });
    assert.ok(refused.status() >= 400, 'a key for another PUID is refused');
    await menu.getByRole('link', { name: 'Access log' }).click();
    await page.locator('summary').first().click();
    await page.locator('td a[href*="incidents"]').first().click();
    await says(page, 'Checks');
    await page.context().storageState({ path: 'state.json' });
    await page.context().close();
}

// Tab to whatever has this name, and press Enter: nothing may need a mouse, and the focus must be visible.
async function byKeyboard() {
    const page = await visitor({});
    await page.goto(`${origin}/console/groups`);
    await page.locator('#f-name').waitFor();
    const tabTo = async (wanted) => {
        for (let step = 0; step < 80; step += 1) {
            await page.keyboard.press('Tab');
            const focus = await page.evaluate(() => {
                const element = document.activeElement;
                const label = element.labels?.[0]?.innerText ?? element.innerText ?? '';
                return { name: label.trim(), outline: getComputedStyle(element).outlineStyle };
            });
            if (focus.name.startsWith(wanted)) {
                assert.notEqual(focus.outline, 'none', `no visible focus on ${wanted}`);
                return;
            }
        }
        assert.fail(`Tab never reaches "${wanted}" on ${page.url()}`);
    };
    const enter = async () => {
        const loaded = page.waitForEvent('load');
        await page.keyboard.press('Enter');
        await loaded;
    };
    await tabTo('Skip to content');
    await tabTo('Name or Glance Address');
    await page.keyboard.type('Ada');
    await tabTo('Password');
    await page.keyboard.type('wrong password');
    await enter();
    await says(page, 'do not open the console');
    const focused = await page.evaluate(() => document.activeElement.getAttribute('role'));
    assert.equal(focused, 'alert', 'the list of problems takes the focus');
    await tabTo('Password');
    await page.keyboard.type(password);
    await enter();
    await page.waitForURL('**/console/groups');
    await tabTo('New group');
    await enter();
    await page.waitForURL('**/groups/new');
    await tabTo('Sign out');
    await enter();
    await page.waitForURL('**/sign-in');
    await says(page, 'You are signed out.');
    await page.context().close();
}

// Signing out works from every page of somebody who is signed in, with scripts and without.
async function signedOut() {
    for (const javaScriptEnabled of [true, false]) {
        const page = await visitor({ javaScriptEnabled });
        const credential = `partnerid=777&partneruserid=joe&loginkey=${encodeURIComponent(loginKey)}`;
        for (const path of [
            `/agentjoin/AgentJoin.aspx?${credential}`, `/agentjoin/AgentView.aspx?SessionKey=4711&${credential}`,
            `/agent/start?${credential}`, '/login/default.aspx', '/account/AccountSummary.aspx',
        ]) {
            if (!path.includes(credential)) await page.goto(`${origin}/agentjoin/AgentJoin.aspx?${credential}`);
            await page.goto(origin + path);
            await says(page, 'joe.green.acme.glance.net');
            await button(page, 'Sign out');
            await page.getByLabel('Password').waitFor();
            assert.equal(new URL(page.url()).pathname, '/login/default.aspx');
            const kept = (await page.context().cookies()).filter((cookie) => cookie.name === 'GSSNID');
            assert.deepEqual(kept, [], `${path}: the cookie is still there`);
        }
        await page.context().close();
    }
}

// An administrator makes a one-time link; the person opens it in another browser and sets a password, once.
async function byOneTimeLink() {
    const page = await visitor({ javaScriptEnabled: false, storageState: 'state.json' });
    const toJoe = async () => {
        await page.goto(`${origin}/console/groups/777/users?search=joe`);
        await page.locator('td a.primary').first().click();
    };
    await toJoe();
    await page.getByRole('link', { name: 'Allow it in Settings' }).click();
    await page.getByLabel('Users without a password may create one with a reset').check();
    await page.getByLabel('Password reset prompt message').fill('Trouble? Call 100.');
    await button(page, 'Save password rules');
    await says(page, 'The password rules are saved.');
    await toJoe();
    await button(page, 'Make a one-time link');
    await says(page, 'is shown only once.');
    const link = await page.getByLabel('One-time link', { exact: true }).innerText();
    await toJoe();
    await says(page, 'Open, and not used yet');

    const person = await visitor({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
    await person.goto(link);
    await says(person, 'Trouble? Call 100.');
    await person.getByLabel('New password', { exact: true }).fill('short');
    await person.getByLabel('The new password again').fill('short');
    await button(person, 'Set password');
    await says(person, 'at least 8 are asked for');
    await person.getByLabel('New password', { exact: true }).fill(password);
    await person.getByLabel('The new password again').fill(password);
    await button(person, 'Set password');
    await says(person, 'The password of joe.green.acme.glance.net is set.');
    await person.goto(link);
    await says(person, 'This link is no longer valid');
    await person.context().close();

    // One that stays open, for those who judge the pages.
    await toJoe();
    joe = new URL(page.url()).pathname;
    await button(page, 'Make a one-time link');
    openLink = (await page.getByLabel('One-time link', { exact: true }).innerText()).slice(origin.length);
    await page.context().close();
}

// A file whose columns have other names: mapped, mapped anew, previewed with old and new values, and applied.
async function byFile() {
    const page = await visitor({ javaScriptEnabled: false, storageState: 'state.json' });
    const form = `${origin}/console/groups/777/users/upload`;
    const send = async (text) => {
        await page.goto(form);
        await page.locator('input[type=file]').setInputFiles({
            name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(text),
        });
        await button(page, 'Show the preview');
    };
    const link = (name) => page.getByRole('link', { name, exact: true }).click();
    await send('Login,E-mail,Team,PUID\nfile.acme.glance.net,not-an-email,red,F1\nno good,,,F2\n');
    await says(page, 'Which column is which');
    await link('Choose another file');
    await page.goBack();
    await button(page, 'Show the preview');
    await says(page, 'That did not work yet');
    await page.getByLabel('Column 1: Login').selectOption('GlanceAddress');
    await page.getByLabel('Column 3: Team').selectOption('FirstName');
    await button(page, 'Show the preview');
    await says(page, 'Column “Team” is read as FirstName.');
    await link('Change the columns');
    await page.getByLabel('Column 3: Team').selectOption('Leave this column out');
    await button(page, 'Show the preview');
    await says(page, 'Column “Team” is left out.');
    await says(page, 'does not look like an e-mail address');
    await button(page, 'Apply');
    await page.waitForURL(/upload/);
    await page.reload();
    await says(page, 'Nothing was changed, because some rows are refused.');
    await page.getByLabel('Skip the refused rows').check();
    await button(page, 'Apply');
    await page.waitForURL(/upload/);
    await page.reload();
    await says(page, 'The upload is done');
    await link('To the users');

    // One with long values, and one whose columns are asked about, stay for those who judge the pages.
    const long = 'a-very-long-name-before-the-sign@a-very-long-name-of-a-host-behind-it.departments.example.com';
    const rows = Array.from({ length: 60 }, (_, at) => `n${at}.acme.glance.net,,N${at}\n`).join('');
    await send(`GlanceAddress,E-mail,PUID\nfile.acme.glance.net,${long},F1\nno good,,F2\n${rows}`);
    await says(page, 'not-an-email');
    await link('Next');
    await says(page, '51 to 62 of 62');
    uploads = [new URL(page.url()).pathname];
    await send('Login,Team\nx.acme.glance.net,red\n');
    uploads.push(new URL(page.url()).pathname);
    await page.context().close();
}

// On a phone, the link from a problem shows the field with its label, its hint and the problem.
async function ledToTheField() {
    const page = await visitor({ viewport: { width: 360, height: 640 }, storageState: 'state.json' });
    await page.goto(`${origin}/console/groups/777/sso/request`);
    await page.locator('#f-clock_skew').fill('601');
    await button(page, 'Save');
    await page.locator('a[href="#f-clock_skew"]').click();
    const seen = await page.evaluate(() => {
        const field = document.activeElement.closest('.field').getBoundingClientRect();
        return field.top >= 0 && field.bottom <= innerHeight;
    });
    assert.ok(seen, 'the label of the field is scrolled off');
    await page.context().close();
}

// The bar of steps keeps what was typed, and one Save saves all of it. Without scripts.
async function stepsKeepWhatIsTyped() {
    const page = await visitor({ javaScriptEnabled: false, storageState: 'state.json' });
    await page.goto(`${origin}/console/groups/777/sso/request`);
    await page.locator('#f-clock_skew').fill('90');
    const step = (name) => page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name }).click();
    await step(/2 Keys/);
    await says(page, 'Not saved yet.');
    await page.locator('#f-certificate').fill('still being pasted');
    await step(/4 People/);
    await page.locator('#f-identity_attribute').fill('mail');
    await step(/1 Identity provider/);
    await says(page, 'User Identity Attribute Name');
    await step(/3 Request and answer/);
    assert.equal(await page.locator('#f-clock_skew').inputValue(), '90');
    for (const more of await page.locator('details.more summary').all()) await more.click();
    await page.getByText('For old identity providers').click();
    await page.getByLabel('Take SHA-1 signatures').waitFor();
    await page.locator('.staying').getByRole('button', { name: 'Save' }).click();
    await says(page, '2 fields were changed');
    assert.equal((await page.locator('#f-certificate').inputValue()).trim(), 'still being pasted');
    await page.context().close();
}

// On a phone the menu is folded: the first field is near, and every place is reached without scripts.
async function phoneMenu() {
    for (const javaScriptEnabled of [false, true]) {
        const page = await visitor({ viewport: { width: 390, height: 844 }, javaScriptEnabled, storageState: 'state.json' });
        await page.goto(`${origin}/console/groups/777/users`);
        const top = (await page.locator('#f-search').boundingBox()).y;
        assert.ok(top <= 300, `the first field stands at ${top} px`);
        const menu = page.getByRole('navigation', { name: 'Group' });
        assert.ok(!await menu.isVisible(), 'the menu is folded');
        await page.getByRole('link', { name: 'Menu', exact: true }).click();
        await page.getByRole('link', { name: 'Close menu' }).click();
        assert.ok(!await menu.isVisible(), 'the menu is folded again');
        await page.getByRole('link', { name: 'Menu', exact: true }).click();
        if (javaScriptEnabled) {
            await page.keyboard.press('Escape');
            assert.ok(!await menu.isVisible(), 'Escape folds the menu');
            await page.getByRole('link', { name: 'Menu', exact: true }).click();
        }
        await menu.getByRole('link', { name: 'Roles' }).click();
        await says(page, 'Roles');
        await page.getByRole('link', { name: 'Menu', exact: true }).click();
        await page.getByRole('link', { name: 'Operators' }).click();
        await says(page, 'Operators run this server');
        await page.context().close();
    }
}

// Copy buttons copy what stands beside them, and are not there without scripts; typed text is not left unasked.
async function script() {
    const plain = await visitor({ javaScriptEnabled: false, storageState: 'state.json' });
    await plain.goto(`${origin}/console/groups/777/sso`);
    assert.equal(await plain.getByRole('button', { name: /^Copy/ }).count(), 0);
    await plain.context().close();
    const page = await visitor({ storageState: 'state.json', permissions: ['clipboard-read', 'clipboard-write'] });
    for (const path of ['/sso', '/provisioning', '']) {
        await page.goto(`${origin}/console/groups/777${path}`);
        const buttons = await page.getByRole('button', { name: /^Copy/ }).all();
        assert.ok(buttons.length > 2, `${path}: ${buttons.length} buttons`);
        for (const copy of buttons) {
            const value = await copy.evaluate((button) => button.parentElement.querySelector('pre').textContent);
            await copy.click();
            await page.waitForFunction(async (want) => await navigator.clipboard.readText() === want, value);
        }
    }
    await page.goto(`${origin}/console/groups/777/users/new`);
    await page.locator('#f-address').fill('half.typed');
    const asked = page.waitForEvent('dialog');
    const click = page.getByRole('navigation', { name: 'Group' }).getByRole('link', { name: 'Roles' }).click({ noWaitAfter: true });
    const dialog = await asked;
    assert.equal(dialog.type(), 'beforeunload', 'whoever leaves typed text is asked');
    await dialog.dismiss();
    await click;
    assert.equal(await page.locator('#f-address').inputValue(), 'half.typed');
    await page.context().close();
}

// A form that is sent after the session ended comes back with what was typed. Without scripts.
async function sessionEnds() {
    const page = await visitor({ javaScriptEnabled: false, storageState: 'state.json' });
    await page.goto(`${origin}/console/groups/777/users/new`);
    await page.locator('#f-address').fill('late.acme.glance.net');
    await page.locator('#f-puid').fill('late "one"');
    const clock = (offset_seconds) => page.request.put(`${origin}/lab/clock`, { data: { offset_seconds } });
    await clock(2 * 60 * 60);
    await button(page, 'Create user');
    await says(page, 'nothing was saved');
    await page.getByLabel('Name or Glance Address').fill('Ada');
    await page.getByLabel('Password').fill(password);
    await button(page, 'Sign in');
    await says(page, 'You are signed in again.');
    assert.equal(await page.locator('#f-puid').inputValue(), 'late "one"');
    await button(page, 'Create user');
    await says(page, 'late.acme.glance.net is created.');
    await page.context().storageState({ path: 'state.json' });
    await page.context().close();
}

// A backup at a press: the page asks again by itself until it is done, also without scripts.
async function backedUp() {
    for (const javaScriptEnabled of [false, true]) {
        const page = await visitor({ storageState: 'state.json', javaScriptEnabled });
        await page.goto(`${origin}/console/backups`);
        await button(page, 'Back up now');
        await page.getByText('Proven').first().waitFor();
        await button(page, 'Back up now');
        await page.getByRole('button', { name: 'Back up now' }).waitFor();
        await page.context().close();
    }
    const page = await visitor({ storageState: 'state.json' });
    await page.goto(`${origin}/console/backups`);
    await page.getByLabel('First 16 digits').fill('0123 4567 89ab cdef');
    await button(page, 'A copy is kept elsewhere');
    await says(page, 'not the first 16 digits');
    await page.getByLabel('First 16 digits').fill(process.env.KEY_DIGITS);
    await button(page, 'A copy is kept elsewhere');
    await says(page, 'You confirmed that a copy of the key file is kept elsewhere.');
    await page.context().close();
}

async function judged() {
    const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
    const scan = async (page, look, path) => {
        await page.goto(origin + path);
        const sideways = await page.evaluate(() => {
            const root = document.documentElement;
            const wide = (element) => element.scrollWidth > element.clientWidth;
            return wide(root) || [...document.querySelectorAll('.scroll')].some(wide);
        });
        if (sideways) failures.push(`${look} ${path}: scrolls sideways`);
        await page.evaluate(axe);
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        const report = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), tags);
        for (const wrong of report.violations) {
            failures.push(`${look} ${path}: ${wrong.id} ${wrong.nodes[0].html.slice(0, 120)}`);
        }
    };
    const group = '/console/groups/777';
    const paths = ['/', '/console/groups', '/console/groups/new', '/console/access-log',
        '/console/access-log?outcome=refused', '/console/operators', '/console/backups', '/console/appliance',
        '/console/password', '/console/sign-in', '/console/incidents', '/console/groups/1', group,
        `${group}/users`, `${group}/users/new`, `${group}/roles`, `${group}/roles/new`, `${group}/api-key`,
        `${group}/login-keys`, `${group}/access-log`, `${group}/settings`, `${group}/provisioning`,
        `${group}/users/upload`, `${group}/sso`, `${group}/sso/identity-provider`, `${group}/sso/keys`,
        `${group}/sso/request`, `${group}/sso/people`, `${group}/sso/metadata`, `${group}/sso/attempts`,
        `${group}/sso/attributes`, `${group}/api-key/change`, joe, openLink, '/console/set-password', '/console/docs/saml', ...uploads];
    for (const width of [1280, 390, 320]) {
        for (const colorScheme of ['light', 'dark']) {
            const page = await visitor({
                viewport: { width, height: 800 }, colorScheme, bypassCSP: true, storageState: 'state.json',
            });
            for (const path of paths) await scan(page, `${width} ${colorScheme}`, path);
            await page.context().close();
        }
    }
}

try {
    await byMouseWithoutScripts();
    await byKeyboard();
    await signedOut();
    await byOneTimeLink();
    await byFile();
    await ledToTheField();
    await stepsKeepWhatIsTyped();
    await phoneMenu();
    await script();
    await sessionEnds();
    await backedUp();
    await judged();
} finally {
    await browser.close();
}
assert.deepEqual(failures, []);
console.log('The console works without scripts, by keyboard, on a phone and in the dark.');
