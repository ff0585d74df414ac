// Draws the portal's pictures: ridges at first light above a lit hut, as SVG, from fixed seeds.

/** mulberry32: the same seed gives the same ridge on every machine. */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Midpoint displacement between the two ends of a ridge. `rough` is its height, in pixels, at the first split. */
function ridge(width, base, rough, seed) {
  const random = seeded(seed);
  let points = [base + (random() - 0.5) * rough, base + (random() - 0.5) * rough];
  for (let swing = rough; points.length < 130; swing *= 0.54) {
    points = points.flatMap((y, i) =>
      i + 1 < points.length ? [y, (y + points[i + 1]) / 2 + (random() - 0.5) * 2 * swing] : [y],
    );
  }
  return points.map((y, i) => [(i * width) / (points.length - 1), y]);
}

const outline = (points, width, height) =>
  `M0 ${height}L${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}L${width} ${height}Z`;

function stars(width, height, seed) {
  const random = seeded(seed);
  return Array.from({ length: 70 }, () => {
    const size = 0.6 + random() * 1.4;
    return `<circle cx="${(random() * width).toFixed(1)}" cy="${(random() * height).toFixed(1)}" r="${size.toFixed(2)}" fill="#fff" opacity="${(0.15 + random() * 0.5).toFixed(2)}"/>`;
  }).join('');
}

/** `scene` gives size, seeds and where sun and hut stand, as shares of the picture. */
export function basecamp({ width, height, seeds, sun, hut, horizon }) {
  const colours = ['#7c8fa6', '#566f88', '#365a6b', '#1f4650', '#12333b', '#0b2229'];
  const layers = colours.map((colour, i) => {
    const base = height * (horizon + i * ((1 - horizon) / (colours.length + 0.2)));
    return { colour, points: ridge(width, base, height * (0.15 - i * 0.018), seeds[i]) };
  });
  const ground = layers[4].points;
  const [x, y] = ground[Math.round(hut * (ground.length - 1))];
  const unit = Math.min(width, height) / 130;
  const house = `
    <circle cx="${x}" cy="${y - unit}" r="${unit * 11}" fill="url(#glow)"/>
    <path d="M${x - unit * 3.4} ${y + unit * 3}v${-unit * 4.7}l${unit * 3.4} ${-unit * 3}l${unit * 3.4} ${unit * 3}v${unit * 4.7}Z" fill="#071a20"/>
    <rect x="${x - unit * 1.9}" y="${y - unit * 1.3}" width="${unit * 1.4}" height="${unit * 1.5}" fill="#ffd08a"/>
    <rect x="${x + unit * 0.6}" y="${y - unit * 1.3}" width="${unit * 1.4}" height="${unit * 1.5}" fill="#ffbf66"/>`;
  const paint = (layer, i) =>
    `<path d="${outline(layer.points, width, height)}" fill="${layer.colour}"/>` +
    (i < 4
      ? `<path d="${outline(layer.points, width, height)}" fill="url(#mist)" opacity="${0.42 - i * 0.09}"/>`
      : '') +
    (i === 4 ? house : '');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
  <defs>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#0d2436"/><stop offset=".3" stop-color="#2c4f68"/>
      <stop offset=".48" stop-color="#8d8f98"/><stop offset=".58" stop-color="#eeb58a"/><stop offset=".7" stop-color="#f8d9ae"/>
    </linearGradient>
    <linearGradient id="mist" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#fbd9b0" stop-opacity="0"/><stop offset="1" stop-color="#fbd9b0" stop-opacity=".75"/>
    </linearGradient>
    <radialGradient id="glow"><stop offset="0" stop-color="#ffc673" stop-opacity=".55"/><stop offset="1" stop-color="#ffc673" stop-opacity="0"/></radialGradient>
    <radialGradient id="sun"><stop offset="0" stop-color="#fff3dc"/><stop offset=".14" stop-color="#ffe6bd"/>
      <stop offset=".16" stop-color="#ffdca8" stop-opacity=".5"/><stop offset="1" stop-color="#ffcf94" stop-opacity="0"/></radialGradient>
  </defs>
  <rect width="${width}" height="${height}" fill="url(#sky)"/>
  ${stars(width, height * 0.32, seeds[0] + 99)}
  <circle cx="${width * sun[0]}" cy="${height * sun[1]}" r="${Math.min(width, height) * 0.36}" fill="url(#sun)"/>
  ${layers.map(paint).join('')}
</svg>`;
}
