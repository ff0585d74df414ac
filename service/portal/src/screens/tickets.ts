// Support tickets: open one, read one, answer in it.
import type { Account, Comment, Ticket, TicketThread } from '../api';
import { h } from '../dom';
import { day, moment, words } from '../format';
import { badge } from '../parts/badge';
import { openDialog, submitting } from '../parts/dialog';
import { field, selectField, textField, values } from '../parts/field';
import { icon } from '../parts/icons';
import { fillPages } from '../parts/pages';
import { bone, empty, fill } from '../parts/state';
import { toast } from '../parts/toast';
import { head, type Visit } from '../screen';

const kStates = ['open', 'pending', 'closed'] as const;
const kPriorities: readonly [string, string][] = [
  ['low', 'Low: a question'],
  ['normal', 'Normal: something is wrong'],
  ['high', 'High: work is held up'],
  ['urgent', 'Urgent: production is down'],
];

export function show(main: HTMLElement, { account }: Visit): void {
  const body = h('section', { 'aria-label': 'Tickets' });
  const filter = h(
    'select',
    { class: 'select', 'aria-label': 'Status', onchange: () => list() },
    h('option', { value: '' }, 'All states'),
    kStates.map((state) => h('option', { value: state }, words(state))),
  );
  const create = () => write(account, () => ((filter.value = ''), list()));
  const newTicket = () =>
    h('button', { class: 'button main', type: 'button', onclick: create }, icon('plus', 18), 'New ticket');
  const list = (): void => {
    const status = filter.value;
    const part = h('div');
    body.replaceChildren(part);
    void fillPages<Ticket>(part, {
      load: async (cursor) => {
        const { tickets, next_cursor } = await account.tickets({ status, cursor });
        return { items: tickets, next: next_cursor };
      },
      empty: () =>
        h(
          'div',
          { class: 'card' },
          status
            ? empty('tickets', `No ${status} tickets`, 'Choose another state to see the rest.')
            : empty('tickets', 'No tickets yet', 'Ask us anything: an engineer will answer here.'),
        ),
      list: h('div'),
      frame: (items) => items,
      item: (ticket) => entry(account, ticket),
    });
  };
  main.append(
    head('Tickets', 'Questions to our engineers, and their answers.', h('div', { class: 'row' }, filter, newTicket())),
    body,
  );
  list();
}

function write(account: Account, done: () => void): void {
  const form = submitting(
    [
      field('Subject', 'subject', { required: true, maxlength: 200, autocomplete: 'off' }),
      selectField('Priority', 'priority', kPriorities, 'normal'),
      textField('What happened, and what did you expect?', 'description', { maxlength: 10000, rows: 5 }),
    ],
    { submit: 'Send', cancel: () => dialog.close() },
    async (sent) => {
      const { subject = '', priority = 'normal', description } = values(sent);
      await account.openTicket({ subject, priority, ...(description && { description }) });
      dialog.close();
      toast('Ticket sent');
      done();
    },
  );
  const dialog = openDialog('New ticket', form);
}

function entry(account: Account, ticket: Ticket): HTMLElement {
  const thread = h('div', { class: 'thread' });
  const said = h('span', {}, comments(ticket.comments));
  const item = h(
    'details',
    { class: 'card ticket' },
    h(
      'summary',
      {},
      h('span', { class: 'subject' }, ticket.subject),
      badge(ticket.status),
      h('span', { class: 'small muted' }, `${words(ticket.priority)} priority · ${day(ticket.created_at)} · `, said),
    ),
    thread,
  );
  const load = (): Promise<void> =>
    fill(
      thread,
      () => [h('p', {}, bone('70%')), h('p', {}, bone('50%'))],
      () => account.ticket(ticket.ticket_id),
      (whole) => {
        said.textContent = comments(whole.comments.length);
        return conversation(account, whole, load);
      },
    );
  item.addEventListener('toggle', () => void (item.open && !thread.hasChildNodes() && load()));
  return item;
}

const comments = (number: number): string => (number === 1 ? '1 comment' : `${number || 'no'} comments`);

const conversation = (account: Account, ticket: TicketThread, reload: () => Promise<void>): HTMLElement =>
  h(
    'div',
    { class: 'stack' },
    h('p', { class: 'text' }, ticket.description || h('span', { class: 'muted' }, 'No description.')),
    h('ul', { class: 'stack' }, ticket.comments.map(comment)),
    submitting(
      [textField('Your comment', `comment-${ticket.ticket_id}`, { required: true, maxlength: 10000, rows: 3 })],
      { submit: 'Add comment' },
      async (form) => {
        await account.comment(ticket.ticket_id, values(form)[`comment-${ticket.ticket_id}`] ?? '');
        toast('Comment added');
        await reload();
      },
    ),
  );

const comment = ({ author, body, created_at }: Comment): HTMLElement =>
  h(
    'li',
    { class: 'comment' },
    h('p', { class: 'small muted' }, `${author}, ${moment(created_at)}`),
    h('p', { class: 'text' }, body),
  );
