// Addresses of the page, by the History API: the bucket holds the page under each of them (service/infra/portal.tf).

type Visit = (path: string) => void;

let visit: Visit = () => {};
let here = ''; // going to a #fragment is an event of history too, but no visit

export function start(onVisit: Visit): void {
  visit = onVisit;
  addEventListener('popstate', () => void (location.pathname !== here && arrive()));
  document.addEventListener('click', follow);
  arrive();
}

export function go(path: string): void {
  if (path !== location.pathname) history.pushState(null, '', path);
  scrollTo(0, 0);
  arrive();
}

function arrive(): void {
  here = location.pathname;
  visit(here);
}

// Links to our own pages stay in this page, unless the user asks the browser for a new one.
function follow(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.pathname);
}
