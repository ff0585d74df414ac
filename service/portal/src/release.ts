// A page that was open while a new release came asks for files that may be gone: the names of /assets carry hashes.

const kKey = 'securebase.reloaded';
const kOnceIn = 60_000; // milliseconds: a file that is truly missing must not make a page that reloads for ever

/** Whether code could not be had because this page is old, and reloading it is worth a try now. */
export function isWorthReloading(): boolean {
  if (!navigator.onLine || Date.now() - Number(sessionStorage.getItem(kKey)) < kOnceIn) return false;
  sessionStorage.setItem(kKey, String(Date.now()));
  return true;
}
