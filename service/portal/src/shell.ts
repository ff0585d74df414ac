// The frame around every screen: brand, menu, account, and the main part that screens fill.
import { account } from './api';
import { h } from './dom';
import { icon, type Icon } from './parts/icons';
import { bone, notice } from './parts/state';
import { isWorthReloading } from './release';
import type { Show } from './screen';
import type { Session } from './session';

interface Place {
  path: string;
  name: string;
  icon: Icon;
  load: () => Promise<{ show: Show }>;
}

// A path that is new here needs its object in service/infra/portal.tf too.
const kPlaces: readonly Place[] = [
  { path: '/', name: 'Overview', icon: 'overview', load: () => import('./screens/overview') },
  { path: '/invoices', name: 'Invoices', icon: 'invoices', load: () => import('./screens/invoices') },
  { path: '/tickets', name: 'Tickets', icon: 'tickets', load: () => import('./screens/tickets') },
  { path: '/api-keys', name: 'API keys', icon: 'keys', load: () => import('./screens/api_keys') },
];

export const brand = (): HTMLElement =>
  h(
    'a',
    { class: 'brand', href: '/' },
    h('img', { src: '/favicon.svg', alt: '', width: 30, height: 30 }),
    'SecureBase',
  );

export class Shell {
  private readonly main = h('main', { id: 'main' });
  private readonly links = kPlaces.map((place) =>
    // What the pointer is over is probably next: its code is here before the click.
    h('a', { href: place.path, onpointerenter: () => void place.load().catch(() => {}) }, icon(place.icon), place.name),
  );
  private leave = new AbortController();
  private moved = false;

  constructor(
    host: HTMLElement,
    private readonly session: Session,
    signOut: () => void,
  ) {
    host.replaceChildren(
      h('a', { class: 'skip', href: '#main' }, 'Skip to content'),
      h(
        'div',
        { class: 'frame' },
        h(
          'header',
          { class: 'side' },
          brand(),
          h('nav', { class: 'menu', 'aria-label': 'Main' }, this.links),
          h(
            'div',
            { class: 'account' },
            h('p', { class: 'small muted', title: session.email }, session.email),
            h('button', { class: 'button small', type: 'button', onclick: signOut }, icon('leave', 18), 'Sign out'),
          ),
        ),
        this.main,
      ),
    );
  }

  async visit(path: string): Promise<void> {
    this.stop();
    const here = (this.leave = new AbortController());
    const place = kPlaces.find((candidate) => candidate.path === path.replace(/(.)\/+$/, '$1'));
    this.links.forEach((link, i) => {
      if (kPlaces[i] === place) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    });
    document.title = `${place?.name ?? 'Not found'} · SecureBase`;
    if (!place) return this.nowhere();
    this.main.replaceChildren(h('div', { class: 'head' }, bone('12rem', '2.2rem')));
    try {
      const { show } = await place.load();
      if (here.signal.aborted) return;
      this.main.replaceChildren();
      show(this.main, { session: this.session, account: account(this.session, here.signal) });
    } catch (error) {
      if (here.signal.aborted) return;
      if (isWorthReloading()) return location.reload();
      this.main.replaceChildren(notice(error, () => location.reload()));
    }
    // On the first page the browser's own focus is right; after a move inside it would be left on the link.
    if (this.moved) this.main.querySelector('h1')?.focus();
    this.moved = true;
  }

  /** Ends what the present screen still asks for. */
  stop(): void {
    this.leave.abort();
  }

  private nowhere(): void {
    this.main.replaceChildren(
      h('h1', { tabindex: -1 }, 'There is no such page'),
      h('p', {}, 'The address may be old. ', h('a', { href: '/' }, 'Go to the overview')),
    );
  }
}
