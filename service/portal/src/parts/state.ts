// The three faces of every part that loads: waiting (in the size of what will come), failed (with what to do), empty.
import { ApiError, type Failure } from '../api';
import { type Child, h } from '../dom';
import { icon, type Icon } from './icons';

const kAdvice: Record<Failure, [title: string, advice: string]> = {
  network: ['SecureBase cannot be reached', 'Check your connection, then try again. Nothing was changed.'],
  'signed-out': ['Your session has ended', 'Sign in again to go on.'],
  forbidden: [
    'This account may not see this',
    'Sign in with an account of this customer, or ask your administrator for access.',
  ],
  missing: ['Nothing found here', 'It may have been removed. Go back to the overview.'],
  throttled: ['Too many requests', 'Wait a few seconds, then try again.'],
  refused: ['That was not accepted', 'Check what you entered, then try again.'],
  broken: [
    'Something failed on our side',
    'Try again in a moment. If it stays, open a ticket and tell us when it happened.',
  ],
};

export function explain(error: unknown): { title: string; advice: string } {
  if (!(error instanceof ApiError)) return { title: 'This page could not be shown', advice: 'Reload it to try again.' };
  const [title, advice] = kAdvice[error.failure];
  return { title, advice: error.failure === 'refused' && error.message ? error.message : advice };
}

export function notice(error: unknown, retry?: () => void): HTMLElement {
  const { title, advice } = explain(error);
  return h(
    'div',
    { class: 'notice', role: 'alert' },
    h('div', {}, h('strong', {}, title), h('p', {}, advice)),
    retry && h('button', { class: 'button small', type: 'button', onclick: retry }, 'Try again'),
  );
}

export const empty = (name: Icon, title: string, advice: string, ...more: Child[]): HTMLElement =>
  h('div', { class: 'empty' }, icon(name, 34), h('strong', {}, title), h('p', { class: 'muted' }, advice), ...more);

/** A grey bar where text will stand. Sizes are CSS lengths, set through the object model as our policy asks. */
export function bone(width: string, height = '0.9rem'): HTMLElement {
  const bar = h('span', { class: 'bone', 'aria-hidden': 'true' });
  bar.style.width = width;
  bar.style.height = height;
  return bar;
}

/** Puts `waiting` into `host`, then what `view` makes of the answer, or the reason why there is none. */
export async function fill<T>(
  host: HTMLElement,
  waiting: () => Child,
  load: () => Promise<T>,
  view: (answer: T) => Child,
): Promise<void> {
  const put = (child: Child) => host.replaceChildren(h('div', { class: 'fill' }, child));
  host.setAttribute('aria-busy', 'true');
  put(waiting());
  try {
    put(view(await load()));
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return; // the user went on
    // An error that is not the API's is in our code or its loading: only the page as a whole can be tried again.
    const again = error instanceof ApiError ? () => void fill(host, waiting, load, view) : () => location.reload();
    put(notice(error, again));
  }
  host.removeAttribute('aria-busy');
}
