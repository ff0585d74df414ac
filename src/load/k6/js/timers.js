// The module "k6/timers": the timers that are global too.
(function () {
  'use strict';
  const timers = { setTimeout, clearTimeout, setInterval, clearInterval };
  timers.default = timers;
  return timers;
})
