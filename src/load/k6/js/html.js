// The module "k6/html": selections like jQuery's over the tree of html-dom.js, with the selectors of html-selectors.js.
(function (runtime) {
  'use strict';
  const { parse, isElement, textOf, outer, elements, walk, neighbours, valueOf } = runtime.builtin('inside/html-dom');
  const { matchesAny, choose, select } = runtime.builtin('inside/html-selectors');
  const elementOf = runtime.builtin('inside/html-element');

  const { Element } = elementOf;
  const nodesOf = (other) => (other instanceof Selection ? other.nodes : other instanceof Element ? [other.node] : []);
  const within = (node, root) => {
    for (let up = node.parent; up; up = up.parent) if (up === root) return true;
    return false;
  };
  const ancestors = (node) => {
    const all = [];
    for (let up = node.parent; up && isElement(up); up = up.parent) all.push(up);
    return all;
  };

  class Selection {
    constructor(nodes, url) {
      Object.defineProperty(this, 'nodes', { value: nodes });
      Object.defineProperty(this, 'url', { value: url });
    }
    make(nodes) { return new Selection(Array.from(new Set(nodes)), this.url); }
    find(by) {
      if (typeof by === 'string') return this.make(select(this.nodes, by));
      return this.make(nodesOf(by).filter((node) => this.nodes.some((mine) => within(node, mine))));
    }
    // What `by` says of a node: a selector, a function of its place and its selection, or a selection that has it. Given
    // `among`, a selector may ask for the first or the last of these nodes.
    chooser(by, among) {
      if (typeof by === 'function') return (node, i) => by(i, this.make([node]));
      if (by instanceof Selection) return (node) => by.nodes.includes(node);
      if (by instanceof Element) return (node) => by.node === node;
      if (among === undefined) return matchesAny(by);
      const chosen = choose(among, by);
      return (node) => chosen.has(node);
    }
    filter(by) { return this.make(this.nodes.filter(this.chooser(by, this.nodes))); }
    not(by) {
      const chosen = this.chooser(by, this.nodes);
      return this.make(this.nodes.filter((node, i) => !chosen(node, i)));
    }
    add(other) { return this.make(this.nodes.concat(typeof other === 'string' ? select([this.root()], other) : nodesOf(other))); }
    root() {
      let top = this.nodes[0];
      while (top && top.parent) top = top.parent;
      return top || parse('');
    }
    single(selector) { return this.make(select(this.nodes, selector).slice(0, 1)); }
    is(by) { return this.filter(by).size() > 0; }
    has(by) { return this.make(this.nodes.filter((node) => this.make([node]).find(by).size() > 0)); }
    narrowed(nodes, selector) { return selector === undefined ? this.make(nodes) : this.make(nodes).filter(selector); }
    children(selector) { return this.narrowed(this.nodes.flatMap(elements), selector); }
    contents() { return this.make(this.nodes.flatMap((node) => node.children)); }
    parent(selector) { return this.narrowed(this.nodes.map((node) => node.parent).filter((node) => node && isElement(node)), selector); }
    parents(selector) {
      return this.narrowed(this.nodes.flatMap(ancestors), selector);
    }
    closest(by) {
      const fits = this.chooser(by);
      const all = [];
      for (const node of this.nodes) {
        let up = node;
        while (up && isElement(up) && !fits(up, 0)) up = up.parent;
        if (up && isElement(up)) all.push(up);
      }
      return this.make(all);
    }
    beside(pick, selector) { return this.narrowed(this.around(pick).flat(), selector); }
    around(pick) { return this.nodes.map((node) => pick(neighbours(node))); }
    next(selector) { return this.beside(({ after }) => after.slice(0, 1), selector); }
    nextAll(selector) { return this.beside(({ after }) => after, selector); }
    prev(selector) { return this.beside(({ before }) => before.slice(0, 1), selector); }
    prevAll(selector) { return this.beside(({ before }) => before, selector); }
    siblings(selector) { return this.beside(({ before, after }) => before.reverse().concat(after), selector); }
    // What lies before the first that `until` means; without one, everything.
    before(lists, until, selector) {
      const ends = until === undefined ? () => false : this.chooser(until);
      const nodes = lists.flatMap((list) => {
        const end = list.findIndex(ends);
        return end < 0 ? list : list.slice(0, end);
      });
      return this.narrowed(nodes, selector);
    }
    nextUntil(until, selector) { return this.before(this.around(({ after }) => after), until, selector); }
    prevUntil(until, selector) { return this.before(this.around(({ before }) => before), until, selector); }
    parentsUntil(until, selector) { return this.before(this.nodes.map(ancestors), until, selector); }
    first() { return this.make(this.nodes.slice(0, 1)); }
    last() { return this.make(this.nodes.slice(-1)); }
    eq(index) { return this.make(index < 0 ? this.nodes.slice(index).slice(0, 1) : this.nodes.slice(index, index + 1)); }
    slice(begin, end) { return this.make(this.nodes.slice(begin, end)); }
    get(index) {
      if (index === undefined) return this.nodes.map((node) => elementOf(node, this.url));
      return elementOf(index < 0 ? this.nodes[this.nodes.length + index] : this.nodes[index], this.url);
    }
    toArray() { return this.nodes.map((node) => this.make([node])); }
    each(fn) {
      this.nodes.forEach((node, i) => fn(i, elementOf(node, this.url)));
      return this;
    }
    map(fn) { return this.nodes.map((node, i) => fn(i, this.make([node]))); }
    size() { return this.nodes.length; }
    index(other) {
      if (this.nodes.length === 0) return -1;
      if (other === undefined) return neighbours(this.nodes[0]).before.length;
      if (typeof other === 'string') return select([this.root()], other).indexOf(this.nodes[0]);
      return this.nodes.indexOf(nodesOf(other)[0]);
    }
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

  elementOf.selection = (nodes, url) => new Selection(nodes, url);
  const html = { parseHTML: (source, url) => new Selection([parse(String(source))], url), Selection, Element };
  html.default = html;
  return html;
})
