// Who the customer is, what stands out, and what was used.
import type { Cost, Customer } from '../api';
import { h } from '../dom';
import { count, day, money, words } from '../format';
import { badge } from '../parts/badge';
import { picture } from '../parts/picture';
import { bone, fill } from '../parts/state';
import { head, type Visit } from '../screen';

const kMetrics = [
  'api_requests',
  'data_transfer_gb',
  'compute_hours',
  'storage_gb',
  'active_users',
  'latency_ms',
  'error_rate',
  'cpu_percent',
] as const;
const kPeriods = [
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
] as const;

export function show(main: HTMLElement, { account }: Visit): void {
  const title = h('div', { class: 'title' });
  const figures = h('div', { class: 'figures' });
  main.append(
    title,
    h('div', { class: 'stack' }, figures, usage({ account }), h('div', { class: 'halves' }, cost({ account }), help())),
  );
  const waiting = () =>
    h('div', { class: 'head whois' }, h('div', {}, bone('16rem', '2.4rem'), bone('14rem', '1.65rem')));
  void fill(title, waiting, account.customer, whoIsIt);
  figures.append(
    figure('/invoices', 'Latest invoice', async () => {
      const newest = (await account.invoices({ limit: 1 })).invoices[0];
      return newest
        ? [
            money(newest.amount, newest.currency),
            h('span', { class: 'row' }, badge(newest.status), `due ${day(newest.due_date)}`),
          ]
        : ['None yet', 'Invoices come on the first of a month'];
    }),
    figure('/tickets', 'Open tickets', async () => {
      const { tickets, next_cursor } = await account.tickets({ status: 'open', limit: 100 });
      const urgent = tickets.filter((ticket) => ticket.priority === 'urgent' || ticket.priority === 'high').length;
      return [
        `${count(tickets.length)}${next_cursor ? '+' : ''}`,
        urgent
          ? `${urgent} of high priority`
          : tickets.length
            ? 'None of high priority'
            : 'Nothing waits for an answer',
      ];
    }),
    figure(null, 'Compliance score', async () => {
      const { score, frameworks } = await account.compliance();
      return frameworks.length
        ? [`${count(score)} %`, frameworks.map(({ framework }) => framework).join(', ')]
        : ['–', 'No framework checked yet'];
    }),
  );
}

function whoIsIt(customer: Customer): HTMLElement {
  const header = head(customer.name, [
    h('span', { class: 'badge tint plain' }, words(customer.tier)),
    badge(customer.status),
    h('span', { class: 'small' }, `${customer.region} · customer since ${day(customer.created_at)}`),
  ]);
  header.classList.add('whois');
  return header;
}

function figure(
  href: string | null,
  label: string,
  load: () => Promise<[value: string, note: string | Node]>,
): HTMLElement {
  const host = href ? h('a', { class: 'card figure', href }) : h('div', { class: 'card figure' });
  const name = () => h('p', { class: 'small muted' }, label);
  host.append(name(), bone('6rem', '1.9rem'), bone('9rem'));
  load().then(
    ([value, note]) =>
      host.replaceChildren(name(), h('p', { class: 'value' }, value), h('p', { class: 'small muted' }, note)),
    (error: unknown) => {
      if (!(error instanceof DOMException))
        host.replaceChildren(name(), h('p', {}, '–'), h('p', { class: 'small muted' }, 'Not available now'));
    },
  );
  return host;
}

function usage({ account }: Pick<Visit, 'account'>): HTMLElement {
  const body = h('div', { class: 'card-body usage' });
  const metric = h(
    'select',
    { class: 'select', 'aria-label': 'Metric', onchange: () => draw() },
    kMetrics.map((name) => h('option', { value: name }, words(name))),
  );
  const periods = h(
    'fieldset',
    { class: 'choice', onchange: () => draw() },
    h('legend', { class: 'unseen' }, 'Period'),
    kPeriods.map(([value, text]) =>
      h(
        'label',
        {},
        h('input', { type: 'radio', name: 'period', value, checked: value === '30d' }),
        h('span', {}, text),
      ),
    ),
  );
  let latest = 0;
  const draw = (): void => {
    const turn = ++latest; // a slow answer to an earlier choice must not replace a later one
    const period = periods.querySelector<HTMLInputElement>('input:checked')?.value ?? '30d';
    const name = metric.value;
    const part = h('div');
    body.replaceChildren(part);
    void fill(
      part,
      () => [
        h('div', { class: 'summary' }, bone('9rem', '1.9rem')),
        h('div', { class: 'chart' }, bone('100%', '100%')),
        h('div', { class: 'table-room' }),
      ],
      async () => {
        const [chart, answer] = await Promise.all([import('../parts/chart'), account.readings(name, period)]);
        if (turn !== latest) throw new DOMException('', 'AbortError');
        return chart.usageChart(name, period, answer.data);
      },
      (chart) => chart,
    );
  };
  draw();
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'usage' },
    h('div', { class: 'card-head' }, h('h2', { id: 'usage' }, 'Usage'), h('div', { class: 'row' }, metric, periods)),
    body,
  );
}

function cost({ account }: Pick<Visit, 'account'>): HTMLElement {
  const body = h('div', { class: 'card-body cost' });
  void fill(
    body,
    () =>
      h(
        'div',
        { class: 'bars' },
        [0, 1, 2, 3, 4].map(() => bone('100%', '1.9rem')),
      ),
    account.cost,
    ({ data }) =>
      data.by_service.length ? shares(data) : h('p', { class: 'muted' }, 'Nothing was charged in the last 30 days.'),
  );
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'cost' },
    h(
      'div',
      { class: 'card-head' },
      h('h2', { id: 'cost' }, 'Cost by service'),
      h('span', { class: 'small muted' }, 'Last 30 days'),
    ),
    body,
  );
}

function shares({ total, currency, by_service }: Cost): HTMLElement {
  const widest = Math.max(...by_service.map(({ share }) => share), 1);
  return h(
    'ul',
    { class: 'bars' },
    by_service.map(({ service, amount, share }) => {
      const bar = h('span', { class: 'bar' });
      bar.style.width = `${(share / widest) * 100}%`;
      return h(
        'li',
        {},
        h('span', {}, words(service)),
        h('span', { class: 'number muted' }, money(amount, currency)),
        bar,
      );
    }),
    h('li', { class: 'total' }, h('strong', {}, 'Total'), h('strong', { class: 'number' }, money(total, currency))),
  );
}

const help = (): HTMLElement =>
  h(
    'section',
    { class: 'card banner', 'aria-labelledby': 'help' },
    picture({ name: 'ridge', width: 960, height: 320, sizes: '(max-width: 46rem) 100vw, 26rem', when: 'lazy' }),
    h(
      'div',
      { class: 'card-body' },
      h('h2', { id: 'help' }, 'The light is on'),
      h('p', { class: 'muted' }, 'Engineers answer every ticket, day and night.'),
      h('a', { href: '/tickets' }, 'Ask a question'),
    ),
  );
