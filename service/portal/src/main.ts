// Starts the portal: who has a session sees the screens, anybody else the way in.
import './style.css';
import { whenSignedOut } from './api';
import * as router from './router';
import { showAccess } from './screens/access';
import * as session from './session';
import { Shell } from './shell';

const host = document.getElementById('app')!;
let shell: Shell | null = null;

function leave(reason: 'ran-out' | 'signed-out'): void {
  session.end();
  shell?.stop();
  shell = null;
  showAccess(host, 'sign-in', reason, enter);
}

function enter(started: session.Session): void {
  session.keep(started);
  router.go(/^\/sign-(in|up)/.test(location.pathname) ? '/' : location.pathname);
}

function visit(path: string): void {
  const now = session.current();
  if (!now) {
    if (session.hasRunOut()) return leave('ran-out');
    shell = null;
    return showAccess(host, path === '/sign-up' ? 'sign-up' : 'sign-in', null, enter);
  }
  shell ??= new Shell(host, now, () => leave('signed-out'));
  void shell.visit(/^\/sign-(in|up)/.test(path) ? '/' : path);
}

// Several calls of one screen fail together: the first one leads out.
whenSignedOut(() => void (shell && leave('ran-out')));
router.start(visit);
