// A customer on a slow network: signs in to the portal, looks at invoices, and leaves. Prints what the browser measured.
//   node tests/outside_visit.mjs URL EMAIL PASSWORD CHROMIUM
import { createRequire } from 'node:module';

const puppeteer = createRequire(new URL('../tools/browser/', import.meta.url))('puppeteer-core');
const [url, email, password, executablePath] = process.argv.slice(2);

// Chrome's own "Fast 3G": 150 ms there and back, 1.6 Mbit/s down.
const kLink = { offline: false, latency: 150, downloadThroughput: 204_800, uploadThroughput: 96_000 };

const browser = await puppeteer.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--disable-background-networking'],
});
try {
  const page = await browser.newPage();
  const session = await page.createCDPSession();
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', kLink);
  await page.goto(`${url}/sign-in`, { waitUntil: 'load' });
  await page.type('input[type=email]', email);
  await page.type('input[type=password]', password);
  await page.click('button[type=submit]');
  await page.waitForSelector('a[href="/invoices"]');
  // Signed in by now: the document that is reported is this one, with the calls of its screens.
  await page.goto(`${url}/invoices`, { waitUntil: 'networkidle0' });
  const seen = await page.evaluate(() => {
    const [navigation] = performance.getEntriesByType('navigation');
    const calls = performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/'));
    return {
      load: navigation.loadEventEnd,
      ttfb: navigation.responseStart,
      traces: calls.flatMap((one) => one.serverTiming.filter((timing) => timing.name === 'trace').map((timing) => timing.description)),
    };
  });
  await page.goto('about:blank'); // left: now the page reports itself
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
