// API keys: a new one is shown once, for only its hash is kept.
import type { Account, ApiKey, NewApiKey } from '../api';
import { h } from '../dom';
import { day, moment } from '../format';
import { type Dialog, openDialog, submitting } from '../parts/dialog';
import { field, selectField, values } from '../parts/field';
import { icon } from '../parts/icons';
import { fillPages } from '../parts/pages';
import { empty } from '../parts/state';
import { toast } from '../parts/toast';
import { head, type Visit } from '../screen';

const kScopes: readonly [string, string][] = [
  ['read', 'Read'],
  ['read write', 'Read and write'],
];
const scopeName = (scope: string): string => kScopes.find(([value]) => value === scope)?.[1] ?? scope;

export function show(main: HTMLElement, { account }: Visit): void {
  const card = h('section', { class: 'card', 'aria-label': 'API keys' });
  const list = (): void => {
    const body = h('div');
    card.replaceChildren(body);
    void fillPages<ApiKey>(body, {
      load: async () => ({ items: (await account.apiKeys()).api_keys, next: null }),
      empty: () => empty('keys', 'No API keys yet', 'Create one to call the API from your programs.'),
      list: h('tbody'),
      frame: (rows) => h('table', {}, columns(), rows),
      item: (key) => row(account, key, list),
      rows: 3,
    });
  };
  main.append(
    head(
      'API keys',
      h('span', {}, 'Programs send a key in the header ', h('code', { class: 'mono' }, 'X-API-Key'), '.'),
      h(
        'button',
        { class: 'button main', type: 'button', onclick: () => create(account, list) },
        icon('plus', 18),
        'New API key',
      ),
    ),
    card,
  );
  list();
}

const columns = (): HTMLElement =>
  h(
    'thead',
    {},
    h(
      'tr',
      {},
      h('th', { scope: 'col' }, 'Name'),
      h('th', { scope: 'col', class: 'wide' }, 'Access'),
      h('th', { scope: 'col', class: 'wide' }, 'Created'),
      h('th', { scope: 'col', class: 'wide' }, 'Last used'),
      h('th', { scope: 'col' }, h('span', { class: 'unseen' }, 'Actions')),
    ),
  );

const nameOf = (key: { name: string | null; api_key_id: string }): string => key.name || key.api_key_id;

const row = (account: Account, key: ApiKey, reload: () => void): HTMLElement =>
  h(
    'tr',
    {},
    h('td', {}, h('strong', {}, nameOf(key)), h('div', { class: 'mono muted' }, `${key.prefix}…`)),
    h('td', { class: 'wide' }, scopeName(key.scope)),
    h('td', { class: 'wide number' }, day(key.created_at)),
    h(
      'td',
      { class: 'wide number' },
      key.last_used_at ? moment(key.last_used_at) : h('span', { class: 'muted' }, 'Never'),
    ),
    h(
      'td',
      { class: 'end' },
      h(
        'button',
        {
          class: 'button small danger',
          type: 'button',
          'aria-label': `Delete ${nameOf(key)}`,
          onclick: () => remove(account, key, reload),
        },
        'Delete',
      ),
    ),
  );

function create(account: Account, reload: () => void): void {
  const dialog: Dialog = openDialog(
    'New API key',
    submitting(
      [
        field('Name', 'name', {
          required: true,
          maxlength: 100,
          autocomplete: 'off',
          placeholder: 'What will use it?',
        }),
        selectField('Access', 'scope', kScopes, 'read'),
      ],
      { submit: 'Create', cancel: () => dialog.close() },
      async (form) => {
        const { name = '', scope = 'read' } = values(form);
        showOnce(dialog, await account.createApiKey({ name, scope }));
        reload();
      },
    ),
  );
}

function showOnce(dialog: Dialog, key: NewApiKey): void {
  const secret = h('code', { class: 'secret mono', tabindex: 0, 'aria-label': 'API key' }, key.api_key);
  const copy = h('button', { class: 'button main', type: 'button' }, 'Copy');
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(key.api_key);
      copy.textContent = 'Copied';
    } catch {
      getSelection()?.selectAllChildren(secret); // no clipboard here (plain HTTP): the key is selected instead
      toast('Press Ctrl+C to copy the selected key');
    }
  });
  dialog.show(
    h('p', {}, 'Copy the key now and keep it safe. ', h('strong', {}, 'It is not shown again.')),
    secret,
    h(
      'div',
      { class: 'actions' },
      h('button', { class: 'button', type: 'button', onclick: () => dialog.close() }, 'Done'),
      copy,
    ),
  );
  copy.focus();
}

function remove(account: Account, key: ApiKey, reload: () => void): void {
  const dialog = openDialog(
    `Delete ${nameOf(key)}?`,
    submitting(
      [h('p', {}, 'Programs that use this key are refused from then on. This cannot be undone.')],
      { submit: 'Delete key', tone: 'danger', cancel: () => dialog.close() },
      async () => {
        await account.deleteApiKey(key.api_key_id);
        dialog.close();
        toast('API key deleted');
        reload();
      },
    ),
  );
}
