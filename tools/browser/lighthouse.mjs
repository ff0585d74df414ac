// Runs Lighthouse's performance audits on one page, several times, each time in a browser that knows nothing of the page.
//   node lighthouse.mjs URL RUNS CHROMIUM mobile|desktop strict|insecure
// Prints a line of JSON for each run. `securebase lighthouse` reads them (src/cli/lighthouse.cc).
import { launch } from 'chrome-launcher';
import lighthouse, { desktopConfig } from 'lighthouse';

const [url, runs, chromePath, form, certificates] = process.argv.slice(2);

const kFlags = [
  '--headless=new',
  '--disable-gpu',
  '--disable-dev-shm-usage', // containers give it 64 MB
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  ...(process.getuid() === 0 ? ['--no-sandbox'] : []), // Chromium's sandbox refuses root
  ...(certificates === 'insecure' ? ['--ignore-certificate-errors'] : []),
];

const value = (report, audit) => report.audits[audit]?.numericValue ?? null;

for (let run = 0; run < Number(runs); ++run) {
  const chrome = await launch({ chromePath, chromeFlags: kFlags, logLevel: 'error' });
  try {
    const flags = { port: chrome.port, output: 'json', logLevel: 'error', onlyCategories: ['performance'] };
    const { lhr } = await lighthouse(url, flags, form === 'desktop' ? desktopConfig : undefined);
    const trouble = lhr.runtimeError?.message ?? null;
    if (trouble || lhr.categories.performance?.score == null) {
      console.error(trouble ?? 'Lighthouse gave no score');
      process.exitCode = 1;
      break;
    }
    const line = {
      lighthouse: lhr.lighthouseVersion,
      score: Math.round(lhr.categories.performance.score * 100),
      first_contentful_paint: value(lhr, 'first-contentful-paint'),
      largest_contentful_paint: value(lhr, 'largest-contentful-paint'),
      total_blocking_time: value(lhr, 'total-blocking-time'),
      cumulative_layout_shift: value(lhr, 'cumulative-layout-shift'),
      speed_index: value(lhr, 'speed-index'),
      benchmark_index: lhr.environment.benchmarkIndex,
    };
    console.log(JSON.stringify(line));
  } finally {
    chrome.kill();
  }
}
