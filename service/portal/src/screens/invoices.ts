// Invoices, newest first, by state; each opens to its lines.
import type { Account, Invoice, InvoiceLine } from '../api';
import { h } from '../dom';
import { count, day, money, words } from '../format';
import { badge } from '../parts/badge';
import { openDialog } from '../parts/dialog';
import { fillPages } from '../parts/pages';
import { bone, empty, fill } from '../parts/state';
import { head, type Visit } from '../screen';

const kStates = ['open', 'overdue', 'paid', 'draft', 'void'] as const;

export function show(main: HTMLElement, { account }: Visit): void {
  const card = h('section', { class: 'card', 'aria-label': 'Invoices' });
  const filter = h(
    'select',
    { class: 'select', 'aria-label': 'Status', onchange: () => list() },
    h('option', { value: '' }, 'All states'),
    kStates.map((state) => h('option', { value: state }, words(state))),
  );
  const list = (): void => {
    const status = filter.value;
    const body = h('div');
    card.replaceChildren(body);
    void fillPages<Invoice>(body, {
      load: async (cursor) => {
        const { invoices, next_cursor } = await account.invoices({ status, cursor });
        return { items: invoices, next: next_cursor };
      },
      empty: () =>
        status
          ? empty('invoices', `No ${status} invoices`, 'Choose another state to see the rest.')
          : empty('invoices', 'No invoices yet', 'They come on the first of a month.'),
      list: h('tbody'),
      frame: (rows) => h('table', {}, columns(), rows),
      item: (invoice) => row(account, invoice),
      rows: 8,
    });
  };
  main.append(head('Invoices', 'What was billed, and what is still to be paid.', filter), card);
  list();
}

const columns = (): HTMLElement =>
  h(
    'thead',
    {},
    h(
      'tr',
      {},
      h('th', { scope: 'col' }, 'Invoice'),
      h('th', { scope: 'col', class: 'wide' }, 'Date'),
      h('th', { scope: 'col', class: 'wide' }, 'Due'),
      h('th', { scope: 'col', class: 'wide' }, 'Status'),
      h('th', { scope: 'col', class: 'end' }, 'Amount'),
    ),
  );

const row = (account: Account, invoice: Invoice): HTMLElement =>
  h(
    'tr',
    {},
    h(
      'td',
      {},
      h('button', { class: 'link', type: 'button', onclick: () => open(account, invoice) }, invoice.invoice_id),
      h('span', { class: 'under small muted' }, `due ${day(invoice.due_date)}`),
    ),
    h('td', { class: 'wide number' }, day(invoice.invoice_date)),
    h('td', { class: 'wide number' }, day(invoice.due_date)),
    h('td', { class: 'wide' }, badge(invoice.status)),
    h(
      'td',
      { class: 'end number' },
      money(invoice.amount, invoice.currency),
      h('span', { class: 'under' }, badge(invoice.status)),
    ),
  );

function open(account: Account, invoice: Invoice): void {
  const body = h('div');
  const dialog = openDialog(
    `Invoice ${invoice.invoice_id}`,
    h('p', { class: 'row muted' }, badge(invoice.status), `${day(invoice.invoice_date)}, due ${day(invoice.due_date)}`),
    body,
    h(
      'div',
      { class: 'actions' },
      h('button', { class: 'button', type: 'button', onclick: () => dialog.close() }, 'Close'),
    ),
  );
  void fill(
    body,
    () => [1, 2, 3].map(() => h('p', {}, bone('100%', '1.5rem'))),
    () => account.invoice(invoice.invoice_id),
    (whole) => lines(whole.line_items, whole),
  );
}

const lines = (items: InvoiceLine[], { amount, currency }: Invoice): HTMLElement =>
  h(
    'table',
    { class: 'lines' },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'For'), h('th', { scope: 'col', class: 'end' }, 'Amount'))),
    h(
      'tbody',
      {},
      items.map((line) =>
        h(
          'tr',
          {},
          h(
            'td',
            {},
            line.description,
            h('div', { class: 'small muted number' }, `${count(line.quantity)} × ${money(line.unit_price, currency)}`),
          ),
          h('td', { class: 'end number' }, money(line.amount, currency)),
        ),
      ),
      h(
        'tr',
        {},
        h('td', {}, h('strong', {}, 'Total')),
        h('td', { class: 'end number' }, h('strong', {}, money(amount, currency))),
      ),
    ),
  );
