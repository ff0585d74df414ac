// Elements of k6/html: the DOM's attributes and relations as functions, each kind of element with those of its own.
(function (runtime) {
  'use strict';
  const { isElement, textOf, outer, elements, walk, siblings, neighbours, valueOf } = runtime.builtin('inside/html-dom');
  const { matchesAny, select } = runtime.builtin('inside/html-selectors');
  const kNodeTypes = { '#text': 3, '#document': 9 };
  const kinds = Object.create(null); // an element's name to its class; others are plain Elements

  // The Element of a node; undefined: there is no node.
  const elementOf = (node, url) => {
    if (node === undefined || node === null) return undefined;
    const Kind = kinds[node.name] || Element;
    return new Kind(node, url);
  };
  const attribute = (node, name) => node.attributes.get(name);
  const root = (node) => {
    let top = node;
    while (top.parent) top = top.parent;
    return top;
  };
  const beside = (list, node, by) => list[list.indexOf(node) + by];
  const under = (node, names) => {
    const found = [];
    walk(node, (child) => { if (names.includes(child.name)) found.push(child); });
    return found;
  };
  const above = (node, names) => {
    let up = node.parent;
    while (up && !names.includes(up.name)) up = up.parent;
    return up === null ? undefined : up;
  };

  const isBelow = (node, top) => {
    let up = node.parent;
    while (up && up !== top) up = up.parent;
    return up === top;
  };

  class Element {
    constructor(node, url) {
      Object.defineProperty(this, 'node', { value: node });
      Object.defineProperty(this, 'base', { value: url });
    }
    of(node) { return elementOf(node, this.base); }
    all(nodes) { return nodes.map((node) => this.of(node)); }

    selection() { return elementOf.selection([this.node], this.base); }
    nodeName() { return this.node.name; }
    nodeType() { return kNodeTypes[this.node.name] || 1; }
    nodeValue() { return this.node.name === '#text' ? this.node.text : undefined; }
    id() { return attribute(this.node, 'id') || ''; }
    lang() { return attribute(this.node, 'lang'); }
    className() { return attribute(this.node, 'class'); }
    classList() { return (attribute(this.node, 'class') || '').split(/\s+/).filter((name) => name !== ''); }
    textContent() { return textOf(this.node); }
    get innerText() { return textOf(this.node); }
    innerHTML() { return this.node.children.map(outer).join(''); }
    value() { return valueOf(this.node); }
    toString() { return outer(this.node); }

    attributes() {
      const all = {};
      for (const name of this.node.attributes.keys()) all[name] = this.getAttributeNode(name);
      return all;
    }
    getAttribute(name) { return attribute(this.node, String(name).toLowerCase()); }
    getAttributeNode(name) {
      const value = this.getAttribute(name);
      return value === undefined ? undefined : { name: String(name).toLowerCase(), value, ownerElement: this };
    }
    hasAttribute(name) { return this.node.attributes.has(String(name).toLowerCase()); }
    hasAttributes() { return this.node.attributes.size > 0; }

    hasChildNodes() { return this.node.children.length > 0; }
    childNodes() { return this.all(this.node.children); }
    firstChild() { return this.of(this.node.children[0]); }
    lastChild() { return this.of(this.node.children[this.node.children.length - 1]); }
    children() { return this.all(elements(this.node)); }
    childElementCount() { return elements(this.node).length; }
    firstElementChild() { return this.of(elements(this.node)[0]); }
    lastElementChild() { return this.of(elements(this.node).slice(-1)[0]); }
    parentNode() { return this.of(this.node.parent); }
    parentElement() { return this.node.parent && isElement(this.node.parent) ? this.of(this.node.parent) : undefined; }
    ownerDocument() { return this.of(root(this.node)); }
    nextSibling() { return this.node.parent ? this.of(beside(this.node.parent.children, this.node, 1)) : undefined; }
    previousSibling() { return this.node.parent ? this.of(beside(this.node.parent.children, this.node, -1)) : undefined; }
    nextElementSibling() { return this.of(neighbours(this.node).after[0]); }
    previousElementSibling() { return this.of(neighbours(this.node).before[0]); }

    contains(other) { return other instanceof Element && other.node !== this.node && isBelow(other.node, this.node); }
    isSameNode(other) { return other instanceof Element && other.node === this.node; }
    isEqualNode(other) { return other instanceof Element && outer(other.node) === outer(this.node); }
    matches(selector) { return matchesAny(selector)(this.node); }
    querySelector(selector) { return this.of(select([this.node], selector)[0]); }
    querySelectorAll(selector) { return this.all(select([this.node], selector)); }
    getElementsByTagName(name) { return this.all(under(this.node, [String(name).toLowerCase()])); }
    getElementsByClassName(names) {
      const wanted = String(names).split(/\s+/).filter((name) => name !== '');
      const found = [];
      walk(this.node, (child) => {
        const has = (attribute(child, 'class') || '').split(/\s+/);
        if (wanted.every((name) => has.includes(name))) found.push(child);
      });
      return this.all(found);
    }
    namespaceURI() { return 'http://www.w3.org/1999/xhtml'; }
    isDefaultNamespace() { return true; }
  }

  // ---- kinds: what an attribute says, under the DOM's name for it

  const kind = (names, Base = Element) => {
    const Made = class extends Base {};
    for (const name of names) kinds[name] = Made;
    return Made.prototype;
  };
  const texts = (prototype, names) => {
    for (const name of names) {
      prototype[name] = function () { return attribute(this.node, name.toLowerCase()) || ''; };
    }
  };
  const flags = (prototype, names) => {
    for (const name of names) {
      prototype[name] = function () { return this.node.attributes.has(name.toLowerCase()); };
    }
  };
  const numbers = (prototype, defaults) => {
    for (const name of Object.keys(defaults)) {
      prototype[name] = function () {
        const value = Number.parseFloat(attribute(this.node, name.toLowerCase()));
        return Number.isNaN(value) ? defaults[name] : value;
      };
    }
  };
  const lists = (prototype, names) => {
    for (const [name, of] of Object.entries(names)) {
      prototype[name] = function () { return (attribute(this.node, of) || '').split(/\s+/).filter((one) => one !== ''); };
    }
  };
  const formOf = function () {
    const id = attribute(this.node, 'form');
    if (id !== undefined) return this.of(under(root(this.node), ['form']).find((form) => attribute(form, 'id') === id));
    return this.of(above(this.node, ['form']));
  };
  const labelsOf = function () {
    const id = attribute(this.node, 'id');
    const own = above(this.node, ['label']);
    return this.all(under(root(this.node), ['label']).filter((label) => label === own || (id !== undefined && attribute(label, 'for') === id)));
  };
  const text = function () { return textOf(this.node); };

  // A URL's pieces, as the DOM names them; relative ones are read against the page's address.
  const parts = (element) => {
    const href = (attribute(element.node, 'href') || '').trim();
    const split = (from) => /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d*))?)?([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(from) || [];
    let [, scheme = '', user = '', host = '', port = '', path = '', search = '', hash = ''] = split(href);
    if (!scheme && element.base) {
      const [, baseScheme = '', , baseHost = '', basePort = '', basePath = ''] = split(String(element.base));
      scheme = baseScheme;
      if (!host) {
        host = baseHost;
        port = basePort;
        if (path === '') path = basePath;
        else if (path[0] !== '/') path = basePath.replace(/[^/]*$/, '') + path;
      }
    }
    if (path === '' && host) path = '/';
    scheme = scheme.toLowerCase();
    if (port === { http: '80', https: '443', ftp: '21' }[scheme]) port = '';
    const colon = user.indexOf(':');
    return {
      hash: hash === '#' ? '' : hash, host: port ? `${host}:${port}` : host, hostname: host, port, username: colon < 0 ? user : user.slice(0, colon),
      password: colon < 0 ? '' : user.slice(colon + 1), origin: scheme && host ? `${scheme}://${host}${port ? `:${port}` : ''}` : '',
      pathname: path, protocol: scheme ? `${scheme}:` : '', search: search === '?' ? '' : search,
    };
  };
  const link = kind(['a', 'area']);
  for (const name of ['hash', 'host', 'hostname', 'port', 'username', 'password', 'origin', 'pathname', 'protocol', 'search']) {
    link[name] = function () { return parts(this)[name]; };
  }
  texts(link, ['href', 'rel', 'target', 'type', 'download', 'accessKey', 'hrefLang', 'media', 'referrerPolicy']);
  lists(link, { relList: 'rel' });
  link.text = text;

  const field = kind(['button', 'input', 'keygen', 'textarea', 'output']);
  texts(field, ['name', 'type', 'placeholder', 'accept', 'pattern', 'formAction', 'formTarget', 'formEnctype', 'max', 'min', 'step']);
  flags(field, ['disabled', 'required', 'readonly', 'autofocus', 'checked', 'multiple', 'formNoValidate']);
  numbers(field, { maxLength: -1, size: 20, rows: 2, cols: 20 });
  Object.assign(field, {
    form: formOf, labels: labelsOf,
    formMethod() { return (attribute(this.node, 'formmethod') || '').toLowerCase() === 'post' ? 'post' : 'get'; },
  });
  const choice = kind(['select']);
  texts(choice, ['name', 'type']);
  flags(choice, ['disabled', 'required', 'multiple', 'autofocus']);
  const isChosen = (option, i, all) => attribute(option, 'selected') !== undefined || (i === 0 && !all.some((one) => one.attributes.has('selected')));
  Object.assign(choice, {
    form: formOf, labels: labelsOf,
    options() { return this.all(under(this.node, ['option'])); },
    length() { return under(this.node, ['option']).length; },
    selectedOptions() { return this.all(under(this.node, ['option']).filter(isChosen)); },
    selectedIndex() { return under(this.node, ['option']).findIndex(isChosen); },
  });
  const option = kind(['option']);
  flags(option, ['disabled', 'selected']);
  Object.assign(option, {
    form: formOf, text,
    label() { return attribute(this.node, 'label') || textOf(this.node); },
    index() {
      const list = above(this.node, ['select', 'datalist']);
      return list === undefined ? 0 : under(list, ['option']).indexOf(this.node);
    },
  });
  const kFields = ['input', 'select', 'textarea', 'button', 'fieldset', 'output', 'object'];
  const form = kind(['form']);
  texts(form, ['name', 'action', 'target', 'enctype', 'autocomplete']);
  Object.assign(form, {
    elements() { return this.all(under(this.node, kFields)); },
    length() { return under(this.node, kFields).length; },
    method() { return (attribute(this.node, 'method') || '').toLowerCase() === 'post' ? 'post' : 'get'; },
  });
  const fieldset = kind(['fieldset']);
  texts(fieldset, ['name']);
  Object.assign(fieldset, {
    form: formOf, type() { return 'fieldset'; }, elements() { return this.all(under(this.node, kFields)); },
  });
  const label = kind(['label']);
  Object.assign(label, {
    form: formOf,
    htmlFor() { return attribute(this.node, 'for') || ''; },
    control() {
      const id = attribute(this.node, 'for');
      if (id === undefined) return this.of(under(this.node, ['input', 'select', 'textarea', 'button'])[0]);
      return this.of(select([root(this.node)], '[id]').find((node) => attribute(node, 'id') === id));
    },
  });
  kind(['legend']).form = formOf;
  const list = kind(['datalist']);
  list.options = function () { return this.all(under(this.node, ['option'])); };

  const picture = kind(['img', 'iframe', 'embed', 'object', 'video', 'audio', 'source', 'track']);
  texts(picture, ['src', 'alt', 'name', 'type', 'srcset', 'sizes', 'media', 'kind', 'srclang', 'data', 'crossOrigin']);
  flags(picture, ['autoplay', 'controls', 'loop', 'default', 'isMap']);
  numbers(picture, { width: 0, height: 0 });
  Object.assign(picture, {
    form: formOf, textTracks() { return this.all(under(this.node, ['track'])); },
  });
  numbers(kind(['canvas']), { width: 150, height: 150 });
  numbers(kind(['progress', 'meter']), { max: 1, min: 0, value: 0, low: 0, high: 1, optimum: 0.5 });
  const sheet = kind(['link']);
  texts(sheet, ['href', 'rel', 'type', 'media', 'hrefLang', 'target']);
  lists(sheet, { relList: 'rel' });
  const script = kind(['script', 'style', 'title']);
  texts(script, ['src', 'type', 'charset', 'media']);
  flags(script, ['async', 'defer', 'noModule']);
  script.text = text;
  const meta = kind(['meta', 'param', 'base']);
  texts(meta, ['name', 'content', 'href', 'target']);
  meta.httpEquiv = function () { return attribute(this.node, 'http-equiv') || ''; };
  const map = kind(['map']);
  texts(map, ['name']);
  map.areas = function () { return this.all(under(this.node, ['area'])); };
  map.images = function () {
    const name = attribute(this.node, 'name');
    return this.all(under(root(this.node), ['img', 'object']).filter((node) => name && attribute(node, 'usemap') === `#${name}`));
  };

  const table = kind(['table']);
  Object.assign(table, {
    caption() { return this.of(elements(this.node).find((node) => node.name === 'caption')); },
    tHead() { return this.of(elements(this.node).find((node) => node.name === 'thead')); },
    tFoot() { return this.of(elements(this.node).find((node) => node.name === 'tfoot')); },
    tBodies() { return this.all(elements(this.node).filter((node) => node.name === 'tbody')); },
    rows() { return this.all(under(this.node, ['tr'])); },
  });
  Object.assign(table, { thead: table.tHead, tfoot: table.tFoot, tbody: table.tBodies });
  kind(['thead', 'tbody', 'tfoot']).rows = function () { return this.all(under(this.node, ['tr'])); };
  const place = (node, within) => {
    const up = above(node, within);
    return up === undefined ? -1 : under(up, [node.name]).indexOf(node);
  };
  const row = kind(['tr']);
  numbers(row, { colSpan: 1 });
  Object.assign(row, {
    cells() { return this.all(elements(this.node).filter((node) => node.name === 'td' || node.name === 'th')); },
    rowIndex() { return place(this.node, ['table']); },
    sectionRowIndex() { return place(this.node, ['thead', 'tbody', 'tfoot', 'table']); },
  });
  const cell = kind(['td', 'th']);
  numbers(cell, { colSpan: 1, rowSpan: 1 });
  lists(cell, { headers: 'headers' });
  cell.cellIndex = function () { return siblings(this.node).indexOf(this.node); };
  const time = kind(['time', 'ins', 'del', 'q', 'blockquote']);
  texts(time, ['cite', 'dateTime']);

  // Set by html.js, which stands above: (nodes, url) to a Selection.
  elementOf.selection = undefined;
  elementOf.Element = Element;
  return elementOf;
})
