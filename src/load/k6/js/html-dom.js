// A small, forgiving parser of HTML, and its tree: what k6/html and its elements stand on.
(function (runtime) {
  'use strict';
  void runtime;
  const kVoid = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'param', 'source', 'track', 'wbr']);
  // Up to the tag that ends them they are text.
  const kRaw = new Map(['script', 'style', 'textarea', 'title'].map((name) => [name, new RegExp(`</${name}`, 'gi')]));
  const kMostDepth = 512; // as browsers have it: what is deeper stands beside its parent
  // What the beginning of one of these ends, when it is still open.
  const kEnds = {
    __proto__: null,
    li: ['li'], option: ['option'], optgroup: ['option', 'optgroup'], tr: ['tr', 'td', 'th'], td: ['td', 'th'], th: ['td', 'th'],
    dt: ['dt', 'dd'], dd: ['dt', 'dd'], tbody: ['tr', 'td', 'th', 'thead', 'tbody'], p: ['p'],
  };
  const kNamed = { __proto__: null, amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '\u00a9', reg: '\u00ae', euro: '\u20ac', hellip: '\u2026', mdash: '\u2014', ndash: '\u2013' };

  const decode = (text) => text.replace(/&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{2,8});/gi, (whole, name) => {
    if (name[0] === '#') {
      const code = name[1] === 'x' || name[1] === 'X' ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    }
    return name in kNamed ? kNamed[name] : whole;
  });
  const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

  class Node {
    constructor(name, parent) {
      this.name = name; // '#text', '#document', '#comment' or an element's
      this.parent = parent;
      this.depth = parent === null ? 0 : parent.depth + 1;
      this.children = [];
      this.attributes = new Map();
      this.text = '';
    }
  }
  const isElement = (node) => node.name[0] !== '#';

  const parse = (source) => {
    const document = new Node('#document', null);
    let open = document;
    let at = 0;
    const addText = (text) => {
      if (text === '') return;
      const node = new Node('#text', open);
      node.text = decode(text);
      open.children.push(node);
    };
    const close = (name) => {
      for (let node = open; node !== document; node = node.parent) {
        if (node.name === name) {
          open = node.parent;
          return;
        }
      }
    };
    const attribute = /([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?|\//y;
    while (at < source.length) {
      const less = source.indexOf('<', at);
      if (less < 0) {
        addText(source.slice(at));
        break;
      }
      addText(source.slice(at, less));
      if (source.startsWith('<!--', less)) {
        const end = source.indexOf('-->', less + 4);
        at = end < 0 ? source.length : end + 3;
        continue;
      }
      const next = source[less + 1];
      if (next === '!' || next === '?') {
        const end = source.indexOf('>', less);
        at = end < 0 ? source.length : end + 1;
        continue;
      }
      const tag = /<(\/?)([a-zA-Z][^\s/>]*)/y;
      tag.lastIndex = less;
      const found = tag.exec(source);
      if (!found) {
        addText('<');
        at = less + 1;
        continue;
      }
      const name = found[2].toLowerCase();
      at = tag.lastIndex;
      if (found[1]) {
        close(name);
        const end = source.indexOf('>', at);
        at = end < 0 ? source.length : end + 1;
        continue;
      }
      const ends = kEnds[name];
      while (ends && ends.includes(open.name)) open = open.parent;
      const node = new Node(name, open);
      let closed = false;
      while (at < source.length) {
        const blanks = /\s+/y;
        blanks.lastIndex = at;
        if (blanks.test(source)) at = blanks.lastIndex;
        const rest = /(\/?)>/y;
        rest.lastIndex = at;
        const end = rest.exec(source);
        if (end) {
          closed = end[1] === '/';
          at = rest.lastIndex;
          break;
        }
        attribute.lastIndex = at;
        const pair = attribute.exec(source);
        if (!pair || pair[0] === '') {
          at += 1;
          continue;
        }
        at = attribute.lastIndex;
        if (pair[1]) {
          const value = pair[2] !== undefined ? pair[2] : pair[3] !== undefined ? pair[3] : pair[4];
          const key = pair[1].toLowerCase();
          if (!node.attributes.has(key)) node.attributes.set(key, value === undefined ? '' : decode(value));
        }
      }
      open.children.push(node);
      if (kVoid.has(name) || closed) continue;
      if (node.depth < kMostDepth) open = node;
      if (kRaw.has(name)) {
        const ending = kRaw.get(name);
        ending.lastIndex = at;
        const ended = ending.exec(source);
        const end = ended ? ended.index : -1;
        const text = source.slice(at, end < 0 ? source.length : end);
        if (text !== '') {
          const child = new Node('#text', node);
          child.text = name === 'title' || name === 'textarea' ? decode(text) : text;
          node.children.push(child);
        }
        at = end < 0 ? source.length : end;
      }
    }
    return document;
  };

  const textOf = (node) => (node.name === '#text' ? node.text : node.children.map(textOf).join(''));
  const outer = (node) => {
    if (node.name === '#text') return node.parent && kRaw.has(node.parent.name) ? node.text : escape(node.text);
    const inside = node.children.map(outer).join('');
    if (!isElement(node)) return inside;
    let head = `<${node.name}`;
    for (const [name, value] of node.attributes) head += ` ${name}="${value.replace(/&/g, '&amp;').replace(/"/g, '&quot;')}"`;
    return kVoid.has(node.name) ? `${head}/>` : `${head}>${inside}</${node.name}>`;
  };
  const elements = (node) => node.children.filter(isElement);
  const walk = (node, take) => {
    for (const child of node.children) {
      if (!isElement(child)) continue;
      take(child);
      walk(child, take);
    }
  };
  const siblings = (node) => (node.parent ? elements(node.parent) : [node]);
  // The elements beside a node, which may be a text between them: those before it, the nearest first, and those after it.
  const neighbours = (node) => {
    if (!node.parent) return { before: [], after: [] };
    const all = node.parent.children;
    const at = all.indexOf(node);
    return { before: all.slice(0, at).filter(isElement).reverse(), after: all.slice(at + 1).filter(isElement) };
  };

  const valueOf = (node) => {
    if (node.name === 'select') {
      const options = [];
      walk(node, (child) => { if (child.name === 'option') options.push(child); });
      const chosen = options.filter((option) => option.attributes.has('selected'));
      if (node.attributes.has('multiple')) return chosen.map(valueOf);
      const one = chosen.length > 0 ? chosen[chosen.length - 1] : options[0];
      return one === undefined ? undefined : valueOf(one);
    }
    if (node.name === 'textarea') return textOf(node);
    if (node.attributes.has('value')) return node.attributes.get('value');
    if (node.name === 'option') return textOf(node).trim();
    return undefined;
  };

  return { Node, parse, isElement, textOf, outer, elements, walk, siblings, neighbours, valueOf };
})
