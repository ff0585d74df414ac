// A state in its colour. The word is always there: colour alone says nothing to some.
import { h } from '../dom';
import { words } from '../format';

const kTones: Record<string, 'good' | 'warn' | 'bad'> = {
  paid: 'good',
  resolved: 'good',
  active: 'good',
  compliant: 'good',
  passed: 'good',
  pass: 'good',
  open: 'warn',
  pending: 'warn',
  issued: 'warn',
  sent: 'warn',
  in_progress: 'warn',
  waiting: 'warn',
  high: 'warn',
  trial: 'warn',
  overdue: 'bad',
  failed: 'bad',
  suspended: 'bad',
  critical: 'bad',
  urgent: 'bad',
  revoked: 'bad',
};

export const badge = (state: string): HTMLElement =>
  h('span', { class: `badge ${kTones[state.toLowerCase()] ?? ''}` }, words(state));
