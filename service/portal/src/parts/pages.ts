// A list that comes in pages: `next_cursor` of one page asks for the next, which is put below.
import { type Child, h } from '../dom';
import { toast } from './toast';
import { bone, explain, fill } from './state';

interface Page<T> {
  items: T[];
  next: string | null;
}

interface Pages<T> {
  load: (cursor: string | null) => Promise<Page<T>>;
  empty: () => Child;
  // Puts the items of a page below the others, in `list`, which `frame` has around it.
  list: HTMLElement;
  frame: (list: HTMLElement) => Child;
  item: (item: T) => Node;
  rows?: number; // how many the first page probably has
}

export function fillPages<T>(host: HTMLElement, { load, empty, list, frame, item, rows = 6 }: Pages<T>): Promise<void> {
  const more = (cursor: string): HTMLElement => {
    const foot = h('div', { class: 'more' });
    const button = h('button', { class: 'button small', type: 'button' }, 'Show more');
    button.addEventListener('click', async () => {
      button.disabled = true;
      try {
        const page = await load(cursor);
        foot.replaceWith(...(page.next ? [more(page.next)] : []));
        const first = list.childElementCount;
        list.append(...page.items.map(item));
        list.children[first]?.querySelector<HTMLElement>('button, a, summary')?.focus();
      } catch (error) {
        button.disabled = false;
        const { title, advice } = explain(error);
        toast(`${title}. ${advice}`);
      }
    });
    foot.append(button);
    return foot;
  };
  return fill(
    host,
    () =>
      h(
        'div',
        { class: 'waiting-rows' },
        Array.from({ length: rows }, () => h('div', { class: 'waiting-row' }, bone('40%'), bone('18%'))),
      ),
    () => load(null),
    ({ items, next }) => {
      if (items.length === 0) return empty();
      list.replaceChildren(...items.map(item));
      return [frame(list), next && more(next)];
    },
  );
}
