// The module "k6/html": a small, forgiving HTML parser, and selections like jQuery's. Selectors: names, #id, .class,
// [attribute] with = ~= |= ^= $= *=, :first-child :last-child :nth-child(n) :first :last :contains(text) :not(...) :checked
// :selected :disabled :empty, the combinators of CSS, and lists.
(function (runtime) {
  'use strict';
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

  // ---- selectors

  const wrong = (selector, why) => new SyntaxError(`the selector '${selector}' cannot be read: ${why}`);
  const splitList = (selector) => {
    const parts = [];
    let depth = 0;
    let quote = '';
    let begin = 0;
    for (let i = 0; i < selector.length; i += 1) {
      const c = selector[i];
      if (quote) {
        if (c === quote) quote = '';
      } else if (c === '"' || c === "'") quote = c;
      else if (c === '(' || c === '[') depth += 1;
      else if (c === ')' || c === ']') depth -= 1;
      else if (c === ',' && depth === 0) {
        parts.push(selector.slice(begin, i));
        begin = i + 1;
      }
    }
    parts.push(selector.slice(begin));
    return parts;
  };
  const siblings = (node) => (node.parent ? elements(node.parent) : [node]);
  const nth = (text) => {
    const t = text.replace(/\s/g, '').toLowerCase();
    if (t === 'odd') return (i) => i % 2 === 1;
    if (t === 'even') return (i) => i % 2 === 0;
    const found = /^([+-]?\d*)n([+-]\d+)?$/.exec(t);
    if (!found) return (i) => i === Number(t);
    const a = found[1] === '' || found[1] === '+' ? 1 : found[1] === '-' ? -1 : Number(found[1]);
    const b = Number(found[2] || 0);
    return (i) => (a === 0 ? i === b : (i - b) / a >= 0 && (i - b) % a === 0);
  };
  const pseudo = (name, argument, selector) => {
    switch (name) {
      case 'first-child': return (node) => siblings(node)[0] === node;
      case 'last-child': return (node) => siblings(node).slice(-1)[0] === node;
      case 'only-child': return (node) => siblings(node).length === 1;
      case 'nth-child': {
        const fits = nth(argument);
        return (node) => fits(siblings(node).indexOf(node) + 1);
      }
      case 'nth-of-type': {
        const fits = nth(argument);
        return (node) => fits(siblings(node).filter((n) => n.name === node.name).indexOf(node) + 1);
      }
      case 'empty': return (node) => node.children.length === 0;
      case 'contains': {
        const text = argument.replace(/^["']|["']$/g, '');
        return (node) => textOf(node).includes(text);
      }
      case 'not': {
        const inner = compile(argument);
        return (node) => !inner.some((one) => matches(node, one));
      }
      case 'has': {
        const inner = compile(argument);
        return (node) => {
          let found = false;
          walk(node, (child) => { found = found || inner.some((one) => matches(child, one)); });
          return found;
        };
      }
      case 'checked': return (node) => node.attributes.has('checked') || node.attributes.has('selected');
      case 'selected': return (node) => node.attributes.has('selected');
      case 'disabled': return (node) => node.attributes.has('disabled');
      case 'enabled': return (node) => !node.attributes.has('disabled');
      case 'input': return (node) => ['input', 'select', 'textarea', 'button'].includes(node.name);
      default: throw wrong(selector, `:${name} is not supported`);
    }
  };
  // One selector as steps from the right: [{tests, combinator to the left}].
  const compileOne = (selector) => {
    const text = selector.trim();
    if (text === '') throw wrong(selector, 'it is empty');
    const steps = [];
    let step = { tests: [], combinator: '' };
    let at = 0;
    const take = (pattern) => {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found) at = pattern.lastIndex;
      return found;
    };
    while (at < text.length) {
      let found;
      if ((found = take(/\s*([>+~])\s*|\s+/y))) {
        if (step.tests.length === 0 && steps.length > 0) throw wrong(selector, 'two combinators follow each other');
        if (step.tests.length > 0) steps.push(step);
        step = { tests: [], combinator: found[1] || ' ' };
      } else if (take(/\*/y)) {
        step.tests.push(() => true);
      } else if ((found = take(/#((?:[\w-]|[^\x00-\x7f]|\\.)+)/y))) {
        const id = found[1].replace(/\\/g, '');
        step.tests.push((node) => node.attributes.get('id') === id);
      } else if ((found = take(/\.((?:[\w-]|[^\x00-\x7f]|\\.)+)/y))) {
        const name = found[1].replace(/\\/g, '');
        step.tests.push((node) => (node.attributes.get('class') || '').split(/\s+/).includes(name));
      } else if ((found = take(/\[\s*([\w:-]+)\s*(?:([~|^$*!]?=)\s*(?:"([^"]*)"|'([^']*)'|([^\]\s]+))\s*)?\]/y))) {
        const name = found[1].toLowerCase();
        const how = found[2];
        const value = found[3] !== undefined ? found[3] : found[4] !== undefined ? found[4] : found[5];
        step.tests.push((node) => {
          const has = node.attributes.get(name);
          if (how === '!=') return has !== value;
          if (has === undefined) return false;
          switch (how) {
            case undefined: return true;
            case '=': return has === value;
            case '~=': return has.split(/\s+/).includes(value);
            case '|=': return has === value || has.startsWith(`${value}-`);
            case '^=': return value !== '' && has.startsWith(value);
            case '$=': return value !== '' && has.endsWith(value);
            default: return value !== '' && has.includes(value);
          }
        });
      } else if ((found = take(/:([\w-]+)(?:\(((?:[^()]|\([^()]*\))*)\))?/y))) {
        if (found[1] === 'first' || found[1] === 'last') step.only = found[1];
        else step.tests.push(pseudo(found[1], found[2] || '', selector));
        if (step.tests.length === 0) step.tests.push(() => true);
      } else if ((found = take(/(?:[\w-]|[^\x00-\x7f])+/y))) {
        const name = found[0].toLowerCase();
        step.tests.push((node) => node.name === name);
      } else {
        throw wrong(selector, `at character ${at + 1}: '${text[at]}'`);
      }
    }
    if (step.tests.length === 0) throw wrong(selector, 'it ends with a combinator');
    steps.push(step);
    return steps;
  };
  const compiled = new Map();
  function compile(selector) {
    const text = String(selector);
    let all = compiled.get(text);
    if (!all) {
      all = splitList(text).map(compileOne);
      if (compiled.size > 500) compiled.clear();
      compiled.set(text, all);
    }
    return all;
  }
  function matches(node, steps, index = steps.length - 1) {
    if (!isElement(node)) return false;
    const step = steps[index];
    if (!step.tests.every((test) => test(node))) return false;
    if (index === 0) return true;
    const { combinator } = step;
    if (combinator === '>') return node.parent !== null && matches(node.parent, steps, index - 1);
    if (combinator === ' ') {
      for (let up = node.parent; up !== null; up = up.parent) if (matches(up, steps, index - 1)) return true;
      return false;
    }
    const before = siblings(node).slice(0, siblings(node).indexOf(node));
    if (combinator === '+') return before.length > 0 && matches(before[before.length - 1], steps, index - 1);
    return before.some((one) => matches(one, steps, index - 1));
  }
  const select = (roots, selector) => {
    const found = [];
    const seen = new Set();
    for (const steps of compile(selector)) {
      let mine = [];
      for (const root of roots) walk(root, (node) => { if (matches(node, steps)) mine.push(node); });
      const { only } = steps[steps.length - 1];
      if (only) mine = mine.length === 0 ? [] : [only === 'first' ? mine[0] : mine[mine.length - 1]];
      for (const node of mine) {
        if (!seen.has(node)) {
          seen.add(node);
          found.push(node);
        }
      }
    }
    return found;
  };

  // ---- selections

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

  class Element {
    constructor(node) { Object.defineProperty(this, 'node', { value: node }); }
    nodeName() { return this.node.name; }
    nodeType() { return 'ELEMENT_NODE'; }
    id() { return this.node.attributes.get('id') || ''; }
    className() { return this.node.attributes.get('class') || ''; }
    getAttribute(name) { return this.node.attributes.get(String(name).toLowerCase()); }
    hasAttribute(name) { return this.node.attributes.has(String(name).toLowerCase()); }
    textContent() { return textOf(this.node); }
    innerHTML() { return this.node.children.map(outer).join(''); }
    value() { return valueOf(this.node); }
    href() { return this.node.attributes.get('href') || ''; }
    toString() { return outer(this.node); }
    get innerText() { return textOf(this.node); }
  }

  class Selection {
    constructor(nodes, url) {
      Object.defineProperty(this, 'nodes', { value: nodes });
      Object.defineProperty(this, 'url', { value: url });
    }
    make(nodes) { return new Selection(Array.from(new Set(nodes)), this.url); }
    find(selector) { return this.make(select(this.nodes, selector)); }
    filter(by) {
      if (typeof by === 'function') return this.make(this.nodes.filter((node, i) => by(i, new Element(node))));
      const steps = compile(by);
      return this.make(this.nodes.filter((node) => steps.some((one) => matches(node, one))));
    }
    not(by) {
      if (typeof by === 'function') return this.make(this.nodes.filter((node, i) => !by(i, new Element(node))));
      const steps = compile(by);
      return this.make(this.nodes.filter((node) => !steps.some((one) => matches(node, one))));
    }
    is(by) { return this.filter(by).size() > 0; }
    has(selector) { return this.make(this.nodes.filter((node) => select([node], selector).length > 0)); }
    narrowed(nodes, selector) { return selector === undefined ? this.make(nodes) : this.make(nodes).filter(selector); }
    children(selector) { return this.narrowed(this.nodes.flatMap(elements), selector); }
    contents() { return this.make(this.nodes.flatMap((node) => node.children)); }
    parent(selector) { return this.narrowed(this.nodes.map((node) => node.parent).filter((node) => node && isElement(node)), selector); }
    parents(selector) {
      const all = [];
      for (const node of this.nodes) for (let up = node.parent; up && isElement(up); up = up.parent) all.push(up);
      return this.narrowed(all, selector);
    }
    closest(selector) {
      const steps = compile(selector);
      const all = [];
      for (const node of this.nodes) {
        for (let up = node; up && isElement(up); up = up.parent) {
          if (steps.some((one) => matches(up, one))) {
            all.push(up);
            break;
          }
        }
      }
      return this.make(all);
    }
    beside(offsets, selector) { return this.narrowed(this.nodes.flatMap((node) => offsets(siblings(node), siblings(node).indexOf(node))), selector); }
    next(selector) { return this.beside((all, i) => all.slice(i + 1, i + 2), selector); }
    nextAll(selector) { return this.beside((all, i) => all.slice(i + 1), selector); }
    prev(selector) { return this.beside((all, i) => (i > 0 ? [all[i - 1]] : []), selector); }
    prevAll(selector) { return this.beside((all, i) => all.slice(0, i).reverse(), selector); }
    siblings(selector) { return this.beside((all, i) => all.filter((_, k) => k !== i), selector); }
    first() { return this.make(this.nodes.slice(0, 1)); }
    last() { return this.make(this.nodes.slice(-1)); }
    eq(index) { return this.make(index < 0 ? this.nodes.slice(index).slice(0, 1) : this.nodes.slice(index, index + 1)); }
    slice(begin, end) { return this.make(this.nodes.slice(begin, end)); }
    get(index) {
      const node = index < 0 ? this.nodes[this.nodes.length + index] : this.nodes[index];
      return node === undefined ? undefined : new Element(node);
    }
    toArray() { return this.nodes.map((node) => this.make([node])); }
    each(fn) {
      this.nodes.forEach((node, i) => fn(i, new Element(node)));
      return this;
    }
    map(fn) { return this.nodes.map((node, i) => fn(i, this.make([node]))); }
    size() { return this.nodes.length; }
    index() { return this.nodes.length === 0 ? -1 : siblings(this.nodes[0]).indexOf(this.nodes[0]); }
    text() { return this.nodes.map(textOf).join(''); }
    html() { return this.nodes.length === 0 ? undefined : this.nodes[0].children.map(outer).join(''); }
    attr(name, fallback) {
      const value = this.nodes.length === 0 ? undefined : this.nodes[0].attributes.get(String(name).toLowerCase());
      return value === undefined ? fallback : value;
    }
    data(name) {
      if (this.nodes.length === 0) return undefined;
      const read = (text) => {
        try {
          return JSON.parse(text);
        } catch (e) {
          return text;
        }
      };
      if (name !== undefined) {
        const value = this.nodes[0].attributes.get(`data-${String(name).replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`);
        return value === undefined ? undefined : read(value);
      }
      const all = {};
      for (const [key, value] of this.nodes[0].attributes) {
        if (key.startsWith('data-')) all[key.slice(5).replace(/-([a-z])/g, (_, c) => c.toUpperCase())] = read(value);
      }
      return all;
    }
    val() { return this.nodes.length === 0 ? undefined : valueOf(this.nodes[0]); }
    serializeArray() {
      const fields = [];
      const roots = this.nodes;
      const take = (node) => {
        const name = node.attributes.get('name');
        if (!['input', 'select', 'textarea'].includes(node.name) || !name || node.attributes.has('disabled')) return;
        const type = (node.attributes.get('type') || '').toLowerCase();
        if (['submit', 'button', 'image', 'reset', 'file'].includes(type)) return;
        if ((type === 'checkbox' || type === 'radio') && !node.attributes.has('checked')) return;
        const value = valueOf(node);
        for (const one of Array.isArray(value) ? value : [value]) {
          fields.push({ name, value: one === undefined ? (type === 'checkbox' || type === 'radio' ? 'on' : '') : one });
        }
      };
      for (const root of roots) {
        take(root);
        walk(root, take);
      }
      return fields;
    }
    serializeObject() {
      const object = {};
      for (const { name, value } of this.serializeArray()) object[name] = value;
      return object;
    }
    serialize() { return this.serializeArray().map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`.replace(/%20/g, '+')).join('&'); }
    toString() { return this.nodes.map(outer).join(''); }
  }

  const html = { parseHTML: (source, url) => new Selection([parse(String(source))], url), Selection, Element };
  html.default = html;
  void runtime;
  return html;
})
