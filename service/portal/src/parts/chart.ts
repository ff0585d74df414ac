// The usage chart: readings gathered to days, drawn as SVG. Pointer, arrow keys and a table all reach every day.
import { h, s } from '../dom';
import type { Reading } from '../api';
import { compact, count, parseTime, shortDay, words } from '../format';
import { empty } from './state';

interface Day {
  date: string; // YYYY-MM-DD, UTC
  value: number;
}

// What adds up over a day; of all else a day has a mean.
const kSums = new Set(['api_requests', 'data_transfer_gb', 'compute_hours']);
const kUnits: Record<string, string> = {
  data_transfer_gb: ' GB', storage_gb: ' GB', compute_hours: ' h', latency_ms: ' ms', cpu_percent: ' %', error_rate: ' %',
};
const kHeight = 260; // pixels, as .chart in the style sheet
const kRoom = { left: 44, right: 10, top: 12, bottom: 26 };

export function usageChart(metric: string, period: string, readings: Reading[]): (HTMLElement | string)[] {
  const days = byDay(metric, readings);
  if (days.length === 0) return [empty('overview', 'No usage in this time', 'Choose a longer period or another metric.')];
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

const round = (value: number): number => Number(value.toPrecision(value >= 1000 ? 12 : 3));

export function byDay(metric: string, readings: Reading[]): Day[] {
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
    .map(([date, { sum, readings }]) => ({ date, value: kSums.has(metric) ? sum : sum / readings }));
  // The period begins at this hour some days ago, so its first day is a part of one and would look like a slump.
  return all.length > 2 ? all.slice(1) : all;
}

/** The axis from 0 to just above `most`, in steps of 1, 2, 2.5 or 5 times a power of ten. */
export function ticks(most: number): number[] {
  if (most <= 0) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

function plot(label: string, days: Day[], say: (value: number) => string): HTMLElement {
  const last = days.length - 1;
  const steps = ticks(Math.max(...days.map(({ value }) => value)));
  const most = steps[steps.length - 1] ?? 1;
  const y = (value: number) => kRoom.top + (1 - value / most) * (kHeight - kRoom.top - kRoom.bottom);
  let x = (_i: number) => 0;

  const svg = s('svg', { 'aria-hidden': 'true' });
  const mark = s('g', { visibility: 'hidden' }, s('line', { class: 'mark', y1: kRoom.top, y2: kHeight - kRoom.bottom }), s('circle', { class: 'dot', r: 5 }));
  const tip = h('div', { class: 'tip', hidden: true });
  // A slider over the days is what a screen reader and a keyboard already know how to use.
  const host = h('div', {
    class: 'chart', role: 'slider', tabindex: 0, 'aria-label': `${label}. Arrow keys go from day to day`,
    'aria-valuemin': 0, 'aria-valuemax': last,
  }, svg, tip);

  let chosen = last;
  const choose = (i: number): void => {
    const day = days[(chosen = Math.min(last, Math.max(0, i)))];
    if (!day) return;
    host.setAttribute('aria-valuenow', String(chosen));
    host.setAttribute('aria-valuetext', `${shortDay(day.date)}: ${say(day.value)}`);
    mark.firstElementChild?.setAttribute('transform', `translate(${x(chosen)})`);
    mark.lastElementChild?.setAttribute('transform', `translate(${x(chosen)} ${y(day.value)})`);
    tip.replaceChildren(h('strong', {}, say(day.value)), shortDay(day.date));
    const left = x(chosen) - tip.offsetWidth / 2;
    const above = y(day.value) - tip.offsetHeight - 14;
    tip.style.transform = `translate(${Math.max(0, Math.min(left, host.clientWidth - tip.offsetWidth))}px, ${above < 0 ? y(day.value) + 14 : above}px)`;
  };
  const point = (seen: boolean): void => {
    mark.setAttribute('visibility', seen ? 'visible' : 'hidden');
    tip.hidden = !seen;
    if (seen) choose(chosen);
  };

  const draw = (): void => {
    const width = host.clientWidth;
    if (!width) return;
    x = (i) => kRoom.left + (last ? i / last : 0.5) * (width - kRoom.left - kRoom.right);
    const line = days.map(({ value }, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join('');
    svg.setAttribute('viewBox', `0 0 ${width} ${kHeight}`);
    svg.replaceChildren(
      s('linearGradient', { id: 'usage-fill', x1: 0, y1: 0, x2: 0, y2: 1 }, s('stop', { class: 'from', offset: 0 }), s('stop', { class: 'to', offset: 1 })),
      ...steps.flatMap((step) => [
        s('line', { class: 'grid', x1: kRoom.left, x2: width - kRoom.right, y1: y(step), y2: y(step) }),
        s('text', { x: kRoom.left - 10, y: y(step) + 4, 'text-anchor': 'end' }, compact(step)),
      ]),
      ...named(last, Math.floor((width - kRoom.left) / 90)).map((i) =>
        s('text', { x: x(i), y: kHeight - 4, 'text-anchor': i === last && last > 0 ? 'end' : i === 0 && last > 0 ? 'start' : 'middle' }, shortDay(days[i]?.date ?? '')),
      ),
      s('path', { class: 'area', d: `${line}L${x(last)} ${y(0)}L${x(0)} ${y(0)}Z` }),
      s('path', { class: 'series', d: line }),
      mark,
    );
    choose(chosen);
  };

  host.addEventListener('pointermove', (event) => {
    const share = (event.clientX - host.getBoundingClientRect().left - kRoom.left) / (x(last) - kRoom.left || 1);
    chosen = Math.min(last, Math.max(0, Math.round(share * last)));
    point(true);
  });
  host.addEventListener('pointerleave', () => point(document.activeElement === host));
  host.addEventListener('focus', () => point(true));
  host.addEventListener('blur', () => point(false));
  host.addEventListener('keydown', (event) => {
    const to = { ArrowLeft: chosen - 1, ArrowDown: chosen - 1, ArrowRight: chosen + 1, ArrowUp: chosen + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    chosen = Math.min(last, Math.max(0, to));
    point(true);
  });
  new ResizeObserver(draw).observe(host); // calls once at the start; goes with its element
  choose(last);
  return host;
}

/** Which days get a name under the axis: at most `most` of them, evenly, the first and the last always. */
function named(last: number, most: number): number[] {
  const parts = Math.max(1, Math.min(last, most - 1, 6));
  return last === 0 ? [0] : Array.from({ length: parts + 1 }, (_, i) => Math.round((i * last) / parts));
}

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
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Day (UTC)'), h('th', { scope: 'col', class: 'end' }, name))),
        h('tbody', {}, [...days].reverse().map(({ date, value }) => h('tr', {}, h('td', {}, shortDay(date)), h('td', { class: 'end number' }, say(value))))),
      ),
    ),
  );
