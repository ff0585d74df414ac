// Runs one canary script of CloudWatch Synthetics' shape:
//   node canary.mjs CODE_DIRECTORY HANDLER        HANDLER is "pageLoad.handler"
// The prober starts it (src/prober/scripts.cc) as an unprivileged user in a directory of its own, with a time limit. What
// the script logs goes to standard output; the last line is the report, behind the mark that the prober looks for.
import { existsSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const kMark = 'securebase-canary-report ';
const [code, handler] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { state, library, logger, close } = require('./synthetics.cjs');

// What AWS's layer would bring along.
const kProvided = { Synthetics: library, SyntheticsLogger: logger };
const load = Module._load;
Module._load = (request, ...rest) => kProvided[request] ?? load(request, ...rest);

function find() {
  const dot = handler.lastIndexOf('.');
  const [file, name] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const places = [join(code, 'nodejs', 'node_modules', file), join(code, file)].flatMap((place) => [`${place}.js`, `${place}.cjs`]);
  const path = places.find(existsSync);
  if (dot < 1 || !path) throw new Error(`the handler ${handler} is in none of ${places.join(', ')}`);
  const found = createRequire(path)(path)[name];
  if (typeof found !== 'function') throw new Error(`${path} exports no function ${name}`);
  return found;
}

function report(passed, executed, reason) {
  const { steps, counts } = state;
  // Once the script has said all: what it still does in the background does not count.
  process.stdout.write(`${kMark}${JSON.stringify({ passed, executed, reason, steps, ...counts })}\n`, () => process.exit(0));
}

let main;
try {
  main = find();
} catch (error) {
  report(false, false, String(error.message));
}
if (main) {
  try {
    await main({}, {});
    const failed = state.steps.find((step) => !step.passed);
    await close();
    report(!failed, true, failed ? `${failed.name}: ${failed.reason}` : '');
  } catch (error) {
    await close();
    report(false, true, String(error?.message ?? error));
  }
}
