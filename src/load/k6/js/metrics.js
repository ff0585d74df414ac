// The module "k6/metrics".
(function (runtime) {
  'use strict';
  const { native } = runtime;
  runtime.builtin('k6'); // flatTags
  const kind = (type, name) => {
    const Metric = class {
      constructor(metricName, isTime) {
        if (typeof metricName !== 'string') throw new TypeError(`${name}: expected a metric's name, found ${runtime.show(metricName)}`);
        Object.defineProperty(this, 'id', { value: native.metric(metricName, type, !!isTime) });
        this.name = metricName;
      }
      add(value, tags) {
        const number = type === 2 && typeof value !== 'number' ? (value ? 1 : 0) : Number(value);
        if (Number.isNaN(number)) {
          const text = `${name} '${this.name}': expected a number, found ${runtime.show(value)}`;
          if (native.throws()) throw new TypeError(text);
          native.log(2, text);
          return false;
        }
        native.add(this.id, number, tags && native.wantsTags() ? runtime.flatTags(tags) : undefined);
        return true;
      }
    };
    Object.defineProperty(Metric, 'name', { value: name });
    return Metric;
  };
  const metrics = { Counter: kind(0, 'Counter'), Gauge: kind(1, 'Gauge'), Rate: kind(2, 'Rate'), Trend: kind(3, 'Trend') };
  metrics.default = metrics;
  return metrics;
})
