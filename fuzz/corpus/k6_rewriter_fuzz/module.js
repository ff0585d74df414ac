import http, { get as fetch } from 'k6/http';
import * as k6 from "k6";
export * from './a.js'; export * as ns from './b.js'; export { default as c } from './c.js';
export const a = 1, { b, c: [d = /[/]/g, ...e], ['k']: f } = g;
export default async function () { const m = await import(`./x${1 / 2}.js`); return import.meta.url }
