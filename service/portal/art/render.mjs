// Renders the pictures into public/static, by hand when a drawing changes (the results are committed):
//   npm install --no-save sharp && node art/render.mjs
import { readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp'; // not a dependency: `npm ci` stays small
import { basecamp } from './basecamp.mjs';

const pictures = [
  {
    name: 'basecamp',
    widths: [480, 960],
    fallback: 960,
    scene: { width: 960, height: 1200, seeds: [5, 22, 38, 41, 57, 63], sun: [0.66, 0.4], hut: 0.36, horizon: 0.5 },
  },
  {
    name: 'ridge',
    widths: [480, 960],
    fallback: 960,
    scene: { width: 960, height: 320, seeds: [11, 12, 31, 46, 85, 91], sun: [0.74, 0.36], hut: 0.78, horizon: 0.42 },
  },
];

for (const { name, widths, fallback, scene } of pictures) {
  const drawing = Buffer.from(basecamp(scene));
  for (const width of widths) {
    await sharp(drawing, { density: 144 })
      .resize(width)
      .webp({ quality: 72, effort: 6 })
      .toFile(`public/static/${name}-${width}.webp`);
  }
  await sharp(drawing, { density: 144 })
    .resize(fallback)
    .jpeg({ quality: 72, mozjpeg: true })
    .toFile(`public/static/${name}-${fallback}.jpg`);
}

const mark = await readFile('public/favicon.svg');
await writeFile(
  'public/static/icon-180.png',
  await sharp(mark, { density: 300 }).resize(180).png({ palette: true }).toBuffer(),
);
