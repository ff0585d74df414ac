// https://jslib.k6.io/k6-summary/*/index.js, and the text at the end of a run: both are made here, from the data that
// handleSummary() gets.
(function () {
  'use strict';
  const kColours = { bold: 1, faint: 2, red: 31, green: 32, cyan: 36 };

  const painter = (enabled) => (text, ...colours) => {
    if (!enabled) return text;
    return `\u001b[${colours.map((colour) => kColours[colour]).join(';')}m${text}\u001b[0m`;
  };

  const number = (value) => {
    if (value === undefined || value === null || Number.isNaN(value)) return '0';
    return Number.isInteger(value) ? String(value) : String(Number(value.toFixed(6)));
  };
  const bytes = (count) => {
    const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
    let value = count;
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return unit === 0 ? `${Math.round(value)} B` : `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
  };
  const trimmed = (value) => String(Number(value.toFixed(2)));
  const duration = (ms, unit) => {
    if (unit === 's') return `${(ms / 1000).toFixed(6)}s`;
    if (unit === 'ms') return `${ms.toFixed(2)}ms`;
    if (unit === 'us') return `${(ms * 1000).toFixed(2)}\u00b5s`;
    if (ms === 0) return '0s';
    if (Math.abs(ms) < 0.001) return `${Math.round(ms * 1e6)}ns`;
    if (Math.abs(ms) < 1) return `${trimmed(ms * 1000)}\u00b5s`;
    if (Math.abs(ms) < 1000) return `${trimmed(ms)}ms`;
    let seconds = ms / 1000;
    if (seconds < 60) return `${trimmed(seconds)}s`;
    let text = '';
    const minutes = Math.floor(seconds / 60);
    seconds -= minutes * 60;
    if (minutes >= 60) text += `${Math.floor(minutes / 60)}h`;
    text += `${String(minutes % 60).padStart(minutes >= 60 ? 2 : 1, '0')}m`;
    return `${text}${String(Math.floor(seconds)).padStart(2, '0')}s`;
  };
  const humanizeValue = (value, metric, unit) => {
    if (metric.type === 'rate') return `${(Math.floor(value * 10000) / 100).toFixed(2)}%`;
    if (metric.contains === 'data') return bytes(value);
    if (metric.contains === 'time') return duration(value, unit);
    return number(value);
  };

  // The columns of a metric's line.
  const columns = (metric, unit, stats) => {
    const { values } = metric;
    const human = (value) => humanizeValue(value, metric, unit);
    switch (metric.type) {
      case 'counter': {
        const rate = metric.contains === 'data' ? `${bytes(values.rate)}/s` : `${number(values.rate)}/s`;
        return [metric.contains === 'time' ? duration(values.count, unit) : human(values.count), rate];
      }
      case 'gauge':
        return [human(values.value), `min=${human(values.min)}`, `max=${human(values.max)}`];
      case 'rate':
        return [human(values.rate), `${values.passes} out of ${values.passes + values.fails}`];
      default:
        return stats.map((name) => `${name}=${name === 'count' ? number(values.count) : human(values[name] === undefined ? 0 : values[name])}`);
    }
  };

  const width = (text) => Array.from(text).length;

  // Lines of metrics, their names filled up with dots to one width and their columns aligned.
  const metricLines = (entries, context) => {
    const rows = entries.map(([label, metric, depth]) => ({
      label, depth, cells: columns(metric, context.unit, context.stats), type: metric.type,
    }));
    const label = Math.max(...rows.map((row) => width(row.label) + row.depth * 2)) + 3;
    const widths = [];
    for (const row of rows) {
      if (row.type !== 'trend') continue;
      row.cells.forEach((cell, i) => { widths[i] = Math.max(widths[i] || 0, width(cell)); });
    }
    const plain = [];
    for (const row of rows) {
      if (row.type === 'trend') continue;
      row.cells.forEach((cell, i) => { plain[i] = Math.max(plain[i] || 0, width(cell)); });
    }
    return rows.map((row) => {
      const fill = row.type === 'trend' ? widths : plain;
      const dots = '.'.repeat(Math.max(1, label - width(row.label) - row.depth * 2));
      const cells = row.cells.map((cell, i) => cell + ' '.repeat(Math.max(0, fill[i] - width(cell))));
      return `${'  '.repeat(row.depth)}${row.label}${context.paint(`${dots}:`, 'faint')} ${context.paint(cells.join(' ').trimEnd(), 'cyan')}`;
    });
  };

  const checkLines = (group, context, indent) => {
    const lines = [];
    for (const check of group.checks || []) {
      if (check.fails === 0) {
        lines.push(`${indent}${context.paint(`\u2713 ${check.name}`, 'green')}`);
        continue;
      }
      const share = Math.floor((100 * check.passes) / (check.passes + check.fails));
      lines.push(`${indent}${context.paint(`\u2717 ${check.name}`, 'red')}`);
      lines.push(`${indent}${context.paint(` \u21b3  ${share}% \u2014 \u2713 ${check.passes} / \u2717 ${check.fails}`, 'red')}`);
    }
    for (const child of group.groups || []) {
      const inner = checkLines(child, context, `${indent}  `);
      if (inner.length > 0) lines.push('', `${indent}\u2588 ${child.name}`, '', ...inner);
    }
    return lines;
  };

  const thresholdLines = (metrics, context) => {
    const lines = [];
    for (const name of Object.keys(metrics).sort()) {
      const metric = metrics[name];
      if (!metric.thresholds) continue;
      lines.push(`  ${context.paint(name, 'bold')}`);
      for (const source of Object.keys(metric.thresholds)) {
        const { ok } = metric.thresholds[source];
        const statistic = source.replace(/\s/g, '').split(/[<>=!]/)[0];
        const value = metric.values[statistic === 'value' ? 'value' : statistic];
        const observed = value === undefined ? 'no data'
          : statistic === 'count' || (metric.type === 'counter' && statistic === 'rate') ? number(value)
            : humanizeValue(value, metric, context.unit);
        lines.push(`  ${ok ? context.paint('\u2713', 'green') : context.paint('\u2717', 'red')} '${source}' ${statistic}=${context.paint(observed, 'cyan')}`);
      }
      lines.push('');
    }
    return lines;
  };

  const kSections = [
    ['HTTP', (name) => name.startsWith('http_')],
    ['EXECUTION', (name) => ['iteration_duration', 'iterations', 'dropped_iterations', 'vus', 'vus_max', 'group_duration',
      'latency_from_schedule', 'generator_lateness'].includes(name)],
    ['NETWORK', (name) => name === 'data_sent' || name === 'data_received'],
  ];
  const kCompactHttp = ['http_req_duration', 'http_req_failed', 'http_reqs'];

  const textSummary = (data, options) => {
    const given = options || {};
    const indent = given.indent === undefined ? ' ' : given.indent;
    const context = {
      paint: painter(given.enableColors !== false && !(data.options && data.options.noColor)),
      unit: given.summaryTimeUnit || (data.options && data.options.summaryTimeUnit) || null,
      stats: given.summaryTrendStats || (data.options && data.options.summaryTrendStats) || ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'],
    };
    const { metrics } = data;
    const lines = [''];
    const thresholds = thresholdLines(metrics, context);
    if (thresholds.length > 0) lines.push(`  \u2588 ${context.paint('THRESHOLDS', 'bold')}`, '', ...thresholds.map((line) => (line ? `  ${line}` : '')));
    lines.push(`  \u2588 ${context.paint('TOTAL RESULTS', 'bold')}`, '');

    if (metrics.checks) {
      const { passes, fails } = metrics.checks.values;
      const total = passes + fails;
      const share = (part) => `${(Math.floor((10000 * part) / total) / 100).toFixed(2)}% ${part} out of ${total}`;
      const seconds = data.state ? data.state.testRunDurationMs / 1000 : 0;
      lines.push(
        `    checks_total.......: ${context.paint(`${total} ${seconds > 0 ? number(total / seconds) : 0}/s`, 'cyan')}`,
        `    checks_succeeded...: ${context.paint(share(passes), 'cyan')}`,
        `    checks_failed......: ${context.paint(share(fails), 'cyan')}`, '');
      lines.push(...checkLines(data.root_group || {}, context, '    '), '');
    }

    const names = Object.keys(metrics).filter((name) => !name.includes('{')).sort();
    const full = given.mode === 'full';
    const section = (title, members) => {
      const entries = [];
      for (const name of members) {
        entries.push([name, metrics[name], 0]);
        for (const sub of Object.keys(metrics).filter((other) => other.startsWith(`${name}{`)).sort()) {
          entries.push([`{ ${sub.slice(name.length + 1, -1)} }`, metrics[sub], 1]);
        }
      }
      if (entries.length === 0) return;
      lines.push(`    ${context.paint(title, 'bold')}`, ...metricLines(entries, context).map((line) => `    ${line}`), '');
    };
    const known = (name) => name === 'checks' || kSections.some(([, has]) => has(name));
    section('CUSTOM', names.filter((name) => !known(name)));
    for (const [title, has] of kSections) {
      let members = names.filter((name) => name !== 'checks' && has(name));
      if (title === 'HTTP' && !full) {
        members = members.filter((name) => kCompactHttp.includes(name) || metrics[name].thresholds ||
          Object.keys(metrics).some((other) => other.startsWith(`${name}{`)));
      }
      section(title, members);
    }
    return lines.map((line) => (line === '' ? '' : indent + line)).join('\n');
  };

  const xml = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');
  const jUnit = (data, options) => {
    const name = options && options.name ? options.name : 'k6 thresholds';
    const cases = [];
    let failures = 0;
    for (const metric of Object.keys(data.metrics)) {
      const thresholds = data.metrics[metric].thresholds || {};
      for (const source of Object.keys(thresholds)) {
        if (thresholds[source].ok) {
          cases.push(`<testcase name="${xml(metric)} - ${xml(source)}" classname="${xml(name)}" />`);
        } else {
          failures += 1;
          cases.push(`<testcase name="${xml(metric)} - ${xml(source)}" classname="${xml(name)}"><failure message="failed" /></testcase>`);
        }
      }
    }
    return `<?xml version="1.0"?>\n<testsuites tests="${cases.length}" failures="${failures}">\n` +
      `<testsuite name="${xml(name)}" tests="${cases.length}" failures="${failures}">\n${cases.join('\n')}\n</testsuite>\n</testsuites>`;
  };

  const summary = { textSummary, humanizeValue, jUnit };
  summary.default = summary;
  return summary;
})
