// The usage chart: readings gathered to days, drawn as SVG. Pointer, arrow keys and a table all reach every day.
import { h, s } from '../dom';
import type { Reading } from '../api';
import { compact, count, parseTime, shortDay, words } from '../format';
import { empty } from './state';

interface Day {
  date: string; // YYYY-MM-DD, UTC
  value: number;
  soFar: boolean; // a sum of today, which is not over
}

// What adds up over a day; of all else a day has a mean.
const kSums = new Set(['api_requests', 'data_transfer_gb', 'compute_hours']);
const kUnits: Record<string, string> = {
  data_transfer_gb: ' GB',
  storage_gb: ' GB',
  compute_hours: ' h',
  latency_ms: ' ms',
  cpu_percent: ' %',
  error_rate: ' %',
};
const kHeight = 260; // pixels, as .chart in the style sheet
const kRoom = { left: 44, right: 10, top: 12, bottom: 26 };

export function usageChart(
  metric: string,
  period: string,
  readings: Reading[],
  now = new Date(),
): (HTMLElement | string)[] {
  const days = byDay(metric, readings, now.toISOString().slice(0, 10));
  if (days.length === 0)
    return [empty('overview', 'No usage in this time', 'Choose a longer period or another metric.')];
  const name = words(metric).replace(/ (GB|ms|hours|percent)$/i, '');
  const unit = kUnits[metric] ?? '';
  const sum = days.reduce((total, { value }) => total + value, 0);
  const summed = kSums.has(metric);
  return [
    h(
      'p',
      { class: 'summary' },
      h('span', { class: 'value' }, `${count(round(summed ? sum : sum / days.length))}${unit}`),
      h('span', { class: 'small muted' }, summed ? `in ${days.length} days` : `mean of ${days.length} days`),
    ),
    plot(`${name}, last ${period.replace('d', ' days')}`, days, (value) => `${count(round(value))}${unit}`),
    table(name, days, (value) => `${count(round(value))}${unit}`),
  ];
}

// Three digits say enough, and none of a whole number is lost.
const round = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

function byDay(metric: string, readings: Reading[], today: string): Day[] {
  const days = new Map<string, { sum: number; readings: number }>();
  for (const { value, timestamp } of readings) {
    const time = parseTime(timestamp);
    if (Number.isNaN(time.getTime()) || !Number.isFinite(Number(value))) continue;
    const date = time.toISOString().slice(0, 10);
    const day = days.get(date) ?? { sum: 0, readings: 0 };
    days.set(date, { sum: day.sum + Number(value), readings: day.readings + 1 });
  }
  const all = [...days]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([date, { sum, readings }]) => ({
      date,
      value: kSums.has(metric) ? sum : sum / readings,
      soFar: kSums.has(metric) && date === today,
    }));
  // The period begins at this hour some days ago, so its first day is a part of one and would look like a slump.
  return all.length > 2 ? all.slice(1) : all;
}

/** The axis from 0 to just above `most`, in steps of 1, 2, 2.5 or 5 times a power of ten. */
function ticks(most: number): number[] {
  if (most <= 0) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

interface Scales {
  x: (i: number) => number;
  y: (value: number) => number;
}

/** What stands still: grid, axis, area and line. */
function drawing(days: Day[], steps: number[], width: number, { x, y }: Scales): SVGElement {
  const last = days.length - 1;
  const at = days.map(({ value }, i) => `${x(i).toFixed(1)} ${y(value).toFixed(1)}`);
  const whole = days[last]?.soFar ? at.slice(0, -1) : at;
  const anchor = (i: number) => (last === 0 ? 'middle' : i === last ? 'end' : i === 0 ? 'start' : 'middle');
  return s(
    'g',
    {},
    s(
      'linearGradient',
      { id: 'usage-fill', x1: 0, y1: 0, x2: 0, y2: 1 },
      s('stop', { class: 'from', offset: 0 }),
      s('stop', { class: 'to', offset: 1 }),
    ),
    steps.map((step) => [
      s('line', { class: 'grid', x1: kRoom.left, x2: width - kRoom.right, y1: y(step), y2: y(step) }),
      s('text', { x: kRoom.left - 10, y: y(step) + 4, 'text-anchor': 'end' }, compact(step)),
    ]),
    named(last, Math.floor((width - kRoom.left) / 75)).map((i) =>
      s('text', { x: x(i), y: kHeight - 4, 'text-anchor': anchor(i) }, shortDay(days[i]?.date ?? '')),
    ),
    s('path', { class: 'area', d: `M${at.join('L')}L${x(last)} ${y(0)}L${x(0)} ${y(0)}Z` }),
    whole.length > 0 && s('path', { class: 'series', d: `M${whole.join('L')}` }),
    whole !== at && s('path', { class: 'series so-far', d: `M${at.slice(-2).join('L')}` }),
  );
}

function plot(label: string, days: Day[], say: (value: number) => string): HTMLElement {
  const last = days.length - 1;
  const steps = ticks(Math.max(...days.map(({ value }) => value)));
  const most = steps[steps.length - 1] ?? 1;
  const scales: Scales = {
    x: () => 0,
    y: (value) => kRoom.top + (1 - value / most) * (kHeight - kRoom.top - kRoom.bottom),
  };

  const line = s('line', { class: 'mark', y1: kRoom.top, y2: kHeight - kRoom.bottom });
  const dot = s('circle', { class: 'dot', r: 5 });
  const mark = s('g', { visibility: 'hidden' }, line, dot);
  const svg = s('svg', { 'aria-hidden': 'true' });
  const tip = h('div', { class: 'tip', hidden: true });
  // A slider over the days is what a screen reader and a keyboard already know how to use.
  const host = h(
    'div',
    {
      class: 'chart',
      role: 'slider',
      tabindex: 0,
      'aria-label': `${label}. Arrow keys go from day to day`,
      'aria-valuemin': 0,
      'aria-valuemax': last,
    },
    svg,
    tip,
  );

  let chosen = last;
  const choose = (i: number): void => {
    chosen = Math.min(last, Math.max(0, i));
    const day = days[chosen]!;
    const [x, y] = [scales.x(chosen), scales.y(day.value)];
    host.setAttribute('aria-valuenow', String(chosen));
    host.setAttribute('aria-valuetext', `${dayName(day)}: ${say(day.value)}`);
    line.setAttribute('transform', `translate(${x})`);
    dot.setAttribute('transform', `translate(${x} ${y})`);
    tip.replaceChildren(h('strong', {}, say(day.value)), dayName(day));
    const left = Math.max(0, Math.min(x - tip.offsetWidth / 2, host.clientWidth - tip.offsetWidth));
    const above = y - tip.offsetHeight - 14;
    tip.style.transform = `translate(${left}px, ${above < 0 ? y + 14 : above}px)`;
  };
  const point = (at: number | null): void => {
    mark.setAttribute('visibility', at === null ? 'hidden' : 'visible');
    tip.hidden = at === null;
    if (at !== null) choose(at);
  };

  // Calls once at the start, and ends with its element.
  new ResizeObserver(() => {
    const width = host.clientWidth;
    scales.x = (i) => kRoom.left + (last ? i / last : 0.5) * (width - kRoom.left - kRoom.right);
    svg.setAttribute('viewBox', `0 0 ${width} ${kHeight}`);
    svg.replaceChildren(drawing(days, steps, width, scales), mark);
    choose(chosen);
  }).observe(host);
  host.addEventListener('pointermove', (event) => {
    const from = event.clientX - host.getBoundingClientRect().left - kRoom.left;
    point(Math.round((from / (host.clientWidth - kRoom.left - kRoom.right)) * last));
  });
  host.addEventListener('pointerleave', () => point(document.activeElement === host ? chosen : null));
  host.addEventListener('focus', () => point(chosen));
  host.addEventListener('blur', () => point(null));
  host.addEventListener('keydown', (event) => {
    const to = {
      ArrowLeft: chosen - 1,
      ArrowDown: chosen - 1,
      ArrowRight: chosen + 1,
      ArrowUp: chosen + 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(to);
  });
  choose(last);
  return host;
}

/** Which days get a name under the axis: at most `most` of them, evenly, the first and the last always. */
function named(last: number, most: number): number[] {
  const parts = Math.max(1, Math.min(last, most - 1, 6));
  return last === 0 ? [0] : Array.from({ length: parts + 1 }, (_, i) => Math.round((i * last) / parts));
}

const dayName = ({ date, soFar }: Day): string => `${shortDay(date)}${soFar ? ', so far' : ''}`;

const table = (name: string, days: Day[], say: (value: number) => string): HTMLElement =>
  h(
    'details',
    { class: 'table' },
    h('summary', {}, 'Show as a table'),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${name} by day` },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h('tr', {}, h('th', { scope: 'col' }, 'Day (UTC)'), h('th', { scope: 'col', class: 'end' }, name)),
        ),
        h(
          'tbody',
          {},
          [...days]
            .reverse()
            .map((day) => h('tr', {}, h('td', {}, dayName(day)), h('td', { class: 'end number' }, say(day.value)))),
        ),
      ),
    ),
  );
