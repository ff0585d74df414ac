// The API under /api/v1, as the portal uses it. Every failure is an ApiError that knows what the user can do.
import type { Session } from './session';

export type Failure = 'network' | 'signed-out' | 'forbidden' | 'missing' | 'throttled' | 'refused' | 'broken';

export class ApiError extends Error {
  constructor(
    readonly failure: Failure,
    message: string,
  ) {
    super(message);
  }
}

const kPatience = 20_000; // milliseconds until a silent network counts as none

let signedOut: () => void = () => {};
/** Called when the API refuses the session's token: there is one place that shows the sign-in page. */
export const whenSignedOut = (then: () => void): void => void (signedOut = then);

interface Ask {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  token?: string;
  signal?: AbortSignal;
}

async function call<T>(path: string, { method = 'GET', body, token, signal }: Ask): Promise<T> {
  const answer = await send(path, method, body, token, signal);
  if (answer.status === 204) return undefined as T;
  const json: unknown = await answer.json().catch(() => undefined);
  if (answer.ok && typeof json === 'object' && json !== null) return json as T;
  const error = refusal(answer, json, token !== undefined);
  if (error.failure === 'signed-out') signedOut();
  throw error;
}

async function send(path: string, method: string, body: unknown, token?: string, signal?: AbortSignal) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), kPatience);
  signal?.addEventListener('abort', () => patience.abort());
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: {
        Accept: 'application/json',
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-cache', // the edge holds answers and drops them on writes; the browser cannot know of those, so it asks
      signal: patience.signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error; // the screen is gone: nobody waits for this
    throw new ApiError('network', 'SecureBase did not answer.');
  } finally {
    clearTimeout(timer);
  }
}

function refusal(answer: Response, json: unknown, withToken: boolean): ApiError {
  const fields = (json ?? {}) as { message?: unknown; error?: unknown };
  const said = [fields.message, fields.error].find((text): text is string => typeof text === 'string') ?? '';
  // A page where JSON should be: some CDN on the way turns a 403 or 404 of every origin into one.
  if (answer.ok) return new ApiError('missing', 'There is nothing at this address, or not for this account.');
  switch (answer.status) {
    case 401:
      return withToken ? new ApiError('signed-out', said) : new ApiError('refused', said);
    case 403:
      return new ApiError('forbidden', said);
    case 404:
      return new ApiError('missing', said);
    case 429:
      return new ApiError('throttled', said);
    default:
      return answer.status < 500 ? new ApiError('refused', said) : new ApiError('broken', said);
  }
}

// What the API says, as docs/service-api.md has it.

export interface Customer {
  customer_id: string;
  name: string;
  email: string;
  tier: string;
  status: string;
  region: string;
  created_at: string;
}
export interface Invoice {
  invoice_id: string;
  invoice_date: string;
  due_date: string;
  amount: number;
  currency: string;
  status: string;
  tier: string;
}
export interface InvoiceLine {
  description: string;
  quantity: number;
  unit_price: number;
  amount: number;
}
export interface Reading {
  metric_name: string;
  value: number;
  timestamp: string;
}
export interface Compliance {
  score: number;
  frameworks: { framework: string; passed: number; failed: number; total: number }[];
}
export interface Cost {
  currency: string;
  total: number;
  by_service: { service: string; amount: number; share: number }[];
}
export interface Ticket {
  ticket_id: string;
  subject: string;
  priority: string;
  status: string;
  created_at: string;
  updated_at: string;
  comments: number;
}
export interface Comment {
  comment_id: string;
  author: string;
  body: string;
  created_at: string;
}
export interface TicketThread extends Omit<Ticket, 'comments'> {
  description: string | null;
  comments: Comment[];
}
export interface ApiKey {
  api_key_id: string;
  name: string | null;
  prefix: string;
  scope: string;
  created_at: string;
  last_used_at: string | null;
}
export interface NewApiKey {
  api_key_id: string;
  api_key: string;
  name: string | null;
  scope: string;
}
export interface Price {
  tier: string;
  name: string;
  monthly_price: number;
}
interface Admission {
  token: string;
  customer_id: string;
  expires_in: number;
}

async function admit(path: string, body: { email: string; password: string }): Promise<Session> {
  const { token, customer_id, expires_in } = await call<Admission>(path, { method: 'POST', body });
  return { token, customerId: customer_id, email: body.email, expiresAt: Date.now() + expires_in * 1000 };
}

export const logIn = (account: { email: string; password: string }): Promise<Session> => admit('/auth/login', account);
export const signUp = (account: {
  email: string;
  password: string;
  company?: string;
  tier: string;
}): Promise<Session> => admit('/auth/signup', account);
export const pricing = (): Promise<{ currency: string; pricing: Price[] }> => call('/pricing', {});

const query = (fields: Record<string, string | number | null | undefined>): string => {
  const given = Object.entries(fields).flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
  return given.length ? `?${new URLSearchParams(given)}` : '';
};

/** The calls of one signed-in customer. `signal` ends when the screen that asks is left. */
export function account({ token, customerId }: Session, signal: AbortSignal) {
  const own = `/customers/${encodeURIComponent(customerId)}`;
  const get = <T>(path: string) => call<T>(path, { token, signal });
  // A write goes on although its screen is left: it would be unknown whether it happened.
  const post = <T>(path: string, body: unknown) => call<T>(path, { token, method: 'POST', body });
  const one = encodeURIComponent;
  return {
    customer: () => get<Customer>(own),
    compliance: () => get<Compliance>(`${own}/compliance`),
    cost: () => get<{ data: Cost }>(`/analytics/cost-breakdown${query({ customer_id: customerId, period: '30d' })}`),
    readings: (metric: string, period: string) =>
      get<{ data: Reading[] }>(`${own}/metrics${query({ period, metric_name: metric, limit: 1000 })}`),
    invoices: (ask: { status?: string; cursor?: string | null; limit?: number }) =>
      get<{ invoices: Invoice[]; next_cursor: string | null }>(`${own}/invoices${query(ask)}`),
    invoice: (id: string) => get<Invoice & { line_items: InvoiceLine[] }>(`${own}/invoices/${one(id)}`),
    tickets: (ask: { status?: string; cursor?: string | null; limit?: number }) =>
      get<{ tickets: Ticket[]; next_cursor: string | null }>(`${own}/tickets${query(ask)}`),
    ticket: (id: string) => get<TicketThread>(`${own}/tickets/${one(id)}`),
    openTicket: (ticket: { subject: string; description?: string; priority: string }) =>
      post<{ ticket_id: string }>(`${own}/tickets`, ticket),
    comment: (id: string, body: string) => post<{ comment_id: string }>(`${own}/tickets/${one(id)}/comments`, { body }),
    apiKeys: () => get<{ api_keys: ApiKey[] }>(`${own}/api-keys`),
    createApiKey: (key: { name?: string; scope: string }) => post<NewApiKey>(`${own}/api-keys`, key),
    deleteApiKey: (id: string) => call<void>(`${own}/api-keys/${one(id)}`, { token, method: 'DELETE' }),
  };
}

export type Account = ReturnType<typeof account>;
