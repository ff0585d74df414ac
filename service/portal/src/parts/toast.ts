// One line at the foot of the page that says what was done, also to a screen reader.
import { h } from '../dom';

const kStay = 5_000; // milliseconds
const line = h('div', { class: 'toast', role: 'status' });
let timer = 0;

export function toast(text: string): void {
  if (!line.isConnected) document.body.append(line);
  line.textContent = text;
  clearTimeout(timer);
  timer = window.setTimeout(() => (line.textContent = ''), kStay);
}
