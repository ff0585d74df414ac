// Selectors, from the right: names, #id, .class, [attribute] with = != ~= |= ^= $= *=, :first-child :last-child :only-child
// :nth-child(n) :nth-of-type(n) :first :last :contains(text) :not(...) :has(...) :checked :selected :disabled :enabled :empty
// :input, the combinators of CSS, and lists. :first and :last are of what a whole selector means, and stand at its end.
(function (runtime) {
  'use strict';
  const { isElement, textOf, walk, siblings } = runtime.builtin('inside/html-dom');

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
        const inner = matchesAny(argument);
        return (node) => !inner(node);
      }
      case 'has': {
        const inner = matchesAny(argument);
        return (node) => {
          let found = false;
          walk(node, (child) => { found = found || inner(child); });
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
      if (step.only) throw wrong(selector, `:${step.only} can only stand at its end`);
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
  // Whether a node by itself fits: there is no first or last of it.
  function matchesAny(selector) {
    const all = compile(selector);
    const placed = all.find((steps) => steps[steps.length - 1].only);
    if (placed) throw wrong(selector, `:${placed[placed.length - 1].only} is of a selection: find(), filter(), is() and not() know it`);
    return (node) => all.some((steps) => matches(node, steps));
  }
  // Those of `nodes` that a selector means, as a Set.
  const choose = (nodes, selector) => {
    const chosen = new Set();
    for (const steps of compile(selector)) {
      const mine = nodes.filter((node) => matches(node, steps));
      const { only } = steps[steps.length - 1];
      if (!only) mine.forEach((node) => chosen.add(node));
      else if (mine.length > 0) chosen.add(only === 'first' ? mine[0] : mine[mine.length - 1]);
    }
    return chosen;
  };
  const select = (roots, selector) => {
    const all = [];
    for (const root of roots) walk(root, (node) => { all.push(node); });
    return Array.from(choose(all, selector));
  };

  return { matchesAny, choose, select };
})
