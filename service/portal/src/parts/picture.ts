// A picture in WebP with a JPEG for who cannot read it, in two widths, with its size known before it comes.
import { h } from '../dom';

interface Picture {
  name: string; // of the files under /static
  width: number;
  height: number;
  sizes: string;
  when: 'soon' | 'lazy';
}

export function picture({ name, width, height, sizes, when }: Picture): HTMLPictureElement {
  return h(
    'picture',
    {},
    h('source', {
      type: 'image/webp',
      srcset: `/static/${name}-480.webp 480w, /static/${name}-960.webp 960w`,
      sizes,
    }),
    // loading stands before src: an image without it starts to load at once.
    h('img', {
      loading: when === 'lazy' ? 'lazy' : 'eager',
      decoding: 'async',
      alt: '',
      width,
      height,
      src: `/static/${name}-960.jpg`,
    }),
  );
}
