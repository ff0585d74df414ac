// Who is signed in. Kept in sessionStorage: it survives a reload and ends with the tab.

export interface Session {
  token: string;
  customerId: string;
  email: string;
  expiresAt: number; // milliseconds since 1970
}

const kKey = 'securebase.session';

export function current(): Session | null {
  try {
    const session = JSON.parse(sessionStorage.getItem(kKey) ?? 'null') as Session | null;
    return session?.token && session.customerId && session.expiresAt > Date.now() ? session : null;
  } catch {
    return null; // somebody else's bytes under our key
  }
}

/** A session was here and its time is over, which the sign-in page explains. */
export const hasRunOut = (): boolean => sessionStorage.getItem(kKey) !== null && current() === null;

export const keep = (session: Session): void => sessionStorage.setItem(kKey, JSON.stringify(session));
export const end = (): void => sessionStorage.removeItem(kKey);
