// Line icons on a 24 by 24 grid, drawn for this portal.
import { s } from '../dom';

const kPaths = {
  overview: 'M4 20V10m5.3 10V4m5.4 16v-7M20 20V8',
  invoices: 'M6 3h12v18l-3-2-3 2-3-2-3 2ZM9.5 8h5M9.5 12h5',
  tickets: 'M4 5h16v11H12l-5 4v-4H4ZM8 9h8M8 12h5',
  keys: 'M8.5 20a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM11.7 12.3 20 4M16.5 7.5 19 10',
  leave: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  plus: 'M12 5v14M5 12h14',
} as const;

export type Icon = keyof typeof kPaths;

export const icon = (name: Icon, size = 22): SVGSVGElement =>
  s(
    'svg',
    {
      viewBox: '0 0 24 24',
      width: size,
      height: size,
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': 1.75,
      'stroke-linecap': 'round',
      'stroke-linejoin': 'round',
      'aria-hidden': 'true',
    },
    s('path', { d: kPaths[name] }),
  );
