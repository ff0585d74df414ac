// The module "k6/crypto".
(function (runtime) {
  'use strict';
  const { native } = runtime;
  const kAlgorithms = ['md4', 'md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha512_224', 'sha512_256', 'ripemd160'];
  const bytesOf = (value) => {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (Array.isArray(value)) return new Uint8Array(value);
    if (value === undefined || value === null) throw new TypeError('crypto: expected a text or bytes to digest');
    return new Uint8Array(native.utf8(String(value)));
  };
  const join = (parts) => {
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  };
  const known = (algorithm) => {
    if (!kAlgorithms.includes(algorithm)) throw new Error(`crypto: unknown algorithm '${algorithm}': expected one of ${kAlgorithms.join(', ')}`);
    return algorithm;
  };
  class Hasher {
    constructor(digest) {
      this.parts = [];
      this.finish = digest;
    }
    update(data) {
      this.parts.push(bytesOf(data));
      return this;
    }
    digest(encoding) { return this.finish(join(this.parts), encoding); }
  }
  const crypto = {
    createHash: (algorithm) => new Hasher((data, encoding) => native.hash(known(algorithm), data, String(encoding))),
    createHMAC: (algorithm, secret) => {
      const key = bytesOf(secret);
      return new Hasher((data, encoding) => native.hmac(known(algorithm), key, data, String(encoding)));
    },
    hmac: (algorithm, secret, data, encoding) => native.hmac(known(algorithm), bytesOf(secret), bytesOf(data), String(encoding)),
    randomBytes: (count) => {
      if (!(Number(count) >= 1 && Number(count) <= 1 << 26)) throw new RangeError(`randomBytes: expected a number from 1 to 67108864, found ${count}`);
      return native.randomBytes(Number(count));
    },
  };
  for (const algorithm of kAlgorithms) {
    crypto[algorithm] = (data, encoding) => native.hash(algorithm, bytesOf(data), String(encoding));
  }
  crypto.default = crypto;
  return crypto;
})
