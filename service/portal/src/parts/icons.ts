// Line icons on a 24 by 24 grid, drawn for this portal.
import { s } from '../dom';

const kPaths = {
  overview: 'M4 20V10m5.3 10V4m5.4 16v-7M20 20V8',
  invoices: 'M6 3h12v18l-3-2-3 2-3-2-3 2ZM9.5 8h5M9.5 12h5',
  tickets: 'M4 5h16v11H12l-5 4v-4H4ZM8 9h8M8 12h5',
  keys: 'M14.5 9.5a4.5 4.5 0 1 0-3.3 4.3L13 15.6V18h2.5v2.5H20V17l-5.7-5.7c.1-.6.2-1.2.2-1.8ZM8.5 8.5h.01',
  leave: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  plus: 'M12 5v14M5 12h14',
} as const;

export type Icon = keyof typeof kPaths;

export const icon = (name: Icon, size = 22): SVGSVGElement =>
  s(
    'svg',
    { viewBox: '0 0 24 24', width: size, height: size, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.75,
      'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' },
    s('path', { d: kPaths[name] }),
  );
