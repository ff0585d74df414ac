// The shape of a screen: a module that puts itself into the page's main part.
import type { Account } from './api';
import { type Child, h } from './dom';
import type { Session } from './session';

export interface Visit {
  session: Session;
  account: Account;
}

export type Show = (main: HTMLElement, visit: Visit) => void;

/** Heading of a screen. It takes the focus on arrival, so that a screen reader says where one is. */
export const head = (title: string, lead: Child, ...actions: Child[]): HTMLElement =>
  h(
    'header',
    { class: 'head' },
    h('div', {}, h('h1', { tabindex: -1 }, title), lead && h('div', { class: 'row muted' }, lead)),
    ...actions,
  );
