// The module "k6/data": arrays that all users share. Elements live once in the program, as JSON; each access makes a
// frozen copy of one.
(function (runtime) {
  'use strict';
  const { native } = runtime;
  const freeze = (value) => {
    if (value !== null && typeof value === 'object') {
      for (const key of Object.keys(value)) freeze(value[key]);
      Object.freeze(value);
    }
    return value;
  };
  class SharedArray {
    constructor(name, make) {
      if (typeof name !== 'string' || name === '') throw new TypeError('SharedArray: the first argument must be a name');
      if (typeof make !== 'function') throw new TypeError('SharedArray: the second argument must be a function that gives an array');
      const handle = native.shared(name, () => {
        const made = make();
        if (!Array.isArray(made)) throw new TypeError(`SharedArray '${name}': its function must give an array, and gave ${runtime.show(made).slice(0, 80)}`);
        return made.map((element) => {
          const text = JSON.stringify(element);
          return text === undefined ? 'null' : text;
        });
      });
      const length = native.sharedLength(handle);
      const refuse = () => { throw new TypeError(`SharedArray '${name}' cannot be changed`); };
      const at = (key) => {
        if (typeof key !== 'string' || !/^(0|[1-9]\d*)$/.test(key)) return -1;
        const index = Number(key);
        return index < length ? index : -1;
      };
      return new Proxy([], {
        get(target, key) {
          if (key === 'length') return length;
          const index = at(key);
          if (index >= 0) return freeze(JSON.parse(native.sharedElement(handle, index)));
          return Array.prototype[key];
        },
        has: (target, key) => key === 'length' || at(key) >= 0 || key in Array.prototype,
        ownKeys: () => Array.from({ length }, (_, i) => String(i)).concat('length'),
        getOwnPropertyDescriptor(target, key) {
          if (key === 'length') return Object.getOwnPropertyDescriptor(target, key);
          const index = at(key);
          if (index < 0) return undefined;
          return { value: freeze(JSON.parse(native.sharedElement(handle, index))), enumerable: true, configurable: true, writable: false };
        },
        set: refuse, defineProperty: refuse, deleteProperty: refuse, setPrototypeOf: refuse,
      });
    }
  }
  const data = { SharedArray };
  data.default = data;
  return data;
})
