// Drives the built portal with Debian's Chromium.
//   npm run build && node test/portal_test.mjs                                    against the mock
//   PORTAL_URL=https://127.0.0.1:8443 PORTAL_EMAIL=... PORTAL_PASSWORD=... node test/portal_test.mjs   against a platform
// CHROMIUM names another browser; PORTAL_PICTURES=DIR keeps pictures of the way; PORTAL_DARK=1 asks for dark colours.
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { kAccount, startMock } from './mock_server.mjs';
import { play } from './scene.mjs';

const kArguments = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const { PORTAL_URL, PORTAL_EMAIL, PORTAL_PASSWORD, PORTAL_PICTURES, PORTAL_DARK, CHROMIUM } = process.env;
const mock = PORTAL_URL ? null : await startMock();
const customer = {
  url: (PORTAL_URL ?? mock.url).replace(/\/$/, ''),
  email: PORTAL_EMAIL ?? kAccount.email,
  password: PORTAL_PASSWORD ?? kAccount.password,
};
const browser = await chromium.launch({ executablePath: CHROMIUM ?? '/usr/bin/chromium', args: kArguments });
try {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    locale: 'en-US',
    colorScheme: PORTAL_DARK ? 'dark' : 'light',
    ignoreHTTPSErrors: true, // the platform's certificate is from its own local CA
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  // The browser itself logs every answer of 4xx and every file that is not what it should be: the scene provokes both.
  page.on('console', (message) => {
    const provoked = /^Failed to load (resource|module script)/.test(message.text());
    if (message.type() === 'error' && !provoked) complaints.push(message.text());
  });
  const shoot = async (name) => {
    if (PORTAL_PICTURES) await page.screenshot({ path: join(PORTAL_PICTURES, `${name}.png`) });
  };
  await play(page, customer, (step) => console.log(`ok    ${step}`), shoot);
  if (complaints.length) throw new Error(`the browser's console complains:\n  ${complaints.join('\n  ')}`);
  console.log(`ok    nothing in the browser's console\nThe portal works at ${customer.url}`);
} catch (error) {
  console.error(`FAILED  ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await mock?.stop();
}
