// The module "k6/encoding".
(function (runtime) {
  'use strict';
  const { native } = runtime;
  const known = (encoding) => {
    const name = encoding === undefined || encoding === null || encoding === '' ? 'std' : String(encoding);
    if (!['std', 'rawstd', 'url', 'rawurl'].includes(name)) throw new Error(`base64: expected std, rawstd, url or rawurl, found '${name}'`);
    return name;
  };
  const encoding = {
    b64encode: (input, variant) => native.base64(typeof input === 'string' || input instanceof ArrayBuffer || ArrayBuffer.isView(input)
      ? input : String(input), known(variant)),
    b64decode: (input, variant, format) => native.fromBase64(String(input), known(variant), format === 's'),
  };
  encoding.default = encoding;
  return encoding;
})
