// A stand-in for the platform: serves dist/ as the distribution does, and the API of docs/service-api.md from memory.
// `npm run mock` starts it for work on the portal (PORT, default 22100).
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const kDist = fileURLToPath(new URL('../dist/', import.meta.url));
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.txt': 'text/plain',
};
// As in service/infra/portal.tf.
const kPages = {
  '/': '/index.html',
  '/sign-in': '/index.html',
  '/sign-up': '/index.html',
  '/invoices': '/pages/invoices.html',
  '/tickets': '/pages/tickets.html',
  '/api-keys': '/pages/api-keys.html',
};
const kDay = 86_400_000;

export const kAccount = { email: 'demo@acme.example', password: 'demo-acme', customer: 'acme' };

/** Starts it on `port` (0: any) and gives its address and a way to stop it. */
export async function startMock(port = 0) {
  const service = makeService();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    // Page loads are measured by the platform, where there is one.
    if (url.pathname === '/_securebase/page') return response.writeHead(204).end();
    if (url.pathname === '/_securebase/page.js')
      return response.writeHead(200, { 'Content-Type': 'text/javascript' }).end();
    if (!url.pathname.startsWith('/api/')) return sendFile(url.pathname, response);
    let body = '';
    for await (const piece of request) body += piece;
    const [status, answer] = service(request.method, url, request.headers, body ? JSON.parse(body) : {});
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(answer === undefined ? undefined : JSON.stringify(answer));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}

async function sendFile(path, response) {
  const name = normalize(kPages[path] ?? path);
  const maxAge = name.startsWith('/assets/') ? 31_536_000 : 3_600;
  const send = (type, bytes) => {
    response.writeHead(200, { 'Content-Type': type, 'Cache-Control': `public, max-age=${maxAge}` });
    response.end(bytes);
  };
  try {
    send(kTypes[extname(name)] ?? 'application/octet-stream', await readFile(join(kDist, name)));
  } catch {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('no such object');
  }
}

const kNow = Date.now();
const ago = (days, hours = 0) => new Date(kNow - days * kDay - hours * 3_600_000).toISOString();

/** What the demo customer owns; the same in every run. */
function demoTenant(id) {
  return {
    customer: {
      customer_id: id,
      name: 'Acme Corporation',
      email: kAccount.email,
      tier: 'standard',
      status: 'active',
      region: 'us-east-1',
      created_at: '2024-03-05T08:00:00Z',
    },
    frameworks: ['SOC2', 'HIPAA', 'ISO27001', 'PCI-DSS'].map((framework) => ({
      framework,
      passed: 11,
      failed: 1,
      total: 12,
    })),
    costs: [
      ['compute', 52.4],
      ['storage', 24.1],
      ['data_transfer', 13.7],
      ['api_requests', 9.3],
    ],
    used: true,
    invoices: Array.from({ length: 24 }, (_, i) => ({
      invoice_id: `inv-${id}-${ago(30 * i)
        .slice(0, 7)
        .replace('-', '')}`,
      invoice_date: ago(30 * i + 3).slice(0, 10),
      due_date: ago(30 * i - 27).slice(0, 10),
      amount: 99 + ((i * 37) % 60) + 0.5 * (i % 2),
      currency: 'USD',
      status: i === 0 ? 'open' : i === 4 ? 'overdue' : 'paid',
      tier: 'standard',
    })),
    tickets: [
      {
        ticket_id: 't-2',
        subject: 'Webhook deliveries are late',
        description: 'Seen since yesterday, about 12 times an hour.',
        priority: 'high',
        status: 'open',
        created_at: ago(1),
        updated_at: ago(0, 3),
        comments: [],
      },
      {
        ticket_id: 't-1',
        subject: 'Question about data retention',
        description: 'Our auditor asks how long logs are kept.',
        priority: 'low',
        status: 'closed',
        created_at: ago(20),
        updated_at: ago(19),
        comments: [
          {
            comment_id: 'c-1',
            author: 'support@securebase.example',
            body: 'A year, on your plan.',
            created_at: ago(19),
          },
        ],
      },
    ],
    keys: [
      {
        api_key_id: 'k-1',
        name: 'Billing export',
        prefix: `sbk.${id}.4fQz`,
        scope: 'read',
        created_at: ago(90),
        last_used_at: ago(0, 2),
      },
    ],
  };
}

/** A customer of this minute: nothing is there yet. */
function newTenant(id, { email, company = email, tier = 'standard' }) {
  const customer = {
    customer_id: id,
    name: company,
    email,
    tier,
    status: 'active',
    region: 'us-east-1',
    created_at: ago(0),
  };
  return { customer, frameworks: [], costs: [], used: false, invoices: [], tickets: [], keys: [] };
}

function makeService() {
  const tenants = new Map([[kAccount.customer, demoTenant(kAccount.customer)]]);
  const users = new Map([[kAccount.email, { password: kAccount.password, id: kAccount.customer }]]);
  let made = 10;

  const page = (all, url) => {
    const limit = Number(url.searchParams.get('limit') ?? 20);
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const status = url.searchParams.get('status');
    const some = all.filter((item) => !status || item.status === status);
    return [some.slice(from, from + limit), from + limit < some.length ? String(from + limit) : null];
  };
  const readings = (url) => {
    const metric = url.searchParams.get('metric_name');
    const days = parseInt(url.searchParams.get('period') ?? '30d', 10);
    const base = { api_requests: 900, error_rate: 0.4, latency_ms: 38, cpu_percent: 41 }[metric] ?? 12;
    return Array.from({ length: Math.min(days * 4, 1000) }, (_, i) => ({
      metric_name: metric,
      timestamp: ago(0, i * 6),
      value: Math.round(base * (1 + 0.35 * Math.sin(i / 9) + 0.18 * Math.sin(i * 1.7) - i / 900) * 100) / 100,
    }));
  };

  return (method, url, headers, body) => {
    const path = url.pathname.replace('/api/v1', '');
    if (path === '/health') return [200, { status: 'healthy' }];
    if (path === '/pricing')
      return [
        200,
        {
          currency: 'USD',
          pricing: [
            { tier: 'standard', name: 'Standard', monthly_price: 99 },
            { tier: 'professional', name: 'Professional', monthly_price: 399 },
          ],
        },
      ];
    const admission = (id) => [200, { token: `token-of-${id}`, customer_id: id, expires_in: 3600 }];
    if (path === '/auth/signup') {
      if (users.has(body.email)) return [409, { message: 'this e-mail has an account: sign in' }];
      const id = `new-${++made}`;
      users.set(body.email, { password: body.password, id });
      tenants.set(id, newTenant(id, body));
      return admission(id);
    }
    if (path === '/auth/login') {
      const user = users.get(body.email);
      return user?.password === body.password ? admission(user.id) : [401, { message: 'Unauthorized' }];
    }

    const [id, tenant] =
      [...tenants].find(
        ([id, { keys }]) =>
          headers.authorization === `Bearer token-of-${id}` ||
          keys.some(({ secret }) => secret && secret === headers['x-api-key']),
      ) ?? [];
    if (!tenant) return [401, { message: 'Unauthorized' }];
    const { invoices, tickets, keys } = tenant;
    if (path === '/analytics/cost-breakdown') {
      const total = tenant.costs.reduce((sum, [, amount]) => sum + amount, 0);
      const by_service = tenant.costs.map(([service, amount]) => ({ service, amount, share: (100 * amount) / total }));
      return [200, { data: { currency: 'USD', total, by_service } }];
    }
    const [, , customer, kind, item, part] = path.split('/');
    if (customer !== id) return [403, { message: 'Forbidden' }];
    switch (`${method} ${kind ?? ''}${item ? '/id' : ''}${part ? `/${part}` : ''}`) {
      case 'GET ':
        return [200, tenant.customer];
      case 'GET compliance':
        return [200, { customer_id: id, score: tenant.frameworks.length ? 91.7 : 0, frameworks: tenant.frameworks }];
      case 'GET metrics':
        return [200, { data: tenant.used ? readings(url) : [] }];
      case 'GET invoices': {
        const [some, next_cursor] = page(invoices, url);
        return [200, { invoices: some, next_cursor }];
      }
      case 'GET invoices/id': {
        const invoice = invoices.find(({ invoice_id }) => invoice_id === item);
        return invoice
          ? [
              200,
              {
                ...invoice,
                line_items: [
                  { description: 'Standard, monthly', quantity: 1, unit_price: 99, amount: 99 },
                  {
                    description: 'API requests above the plan, per 1000',
                    quantity: (invoice.amount - 99) * 2,
                    unit_price: 0.5,
                    amount: invoice.amount - 99,
                  },
                ],
              },
            ]
          : [404, { message: 'no such invoice' }];
      }
      case 'GET tickets': {
        const [some, next_cursor] = page(tickets, url);
        return [200, { tickets: some.map((ticket) => ({ ...ticket, comments: ticket.comments.length })), next_cursor }];
      }
      case 'POST tickets': {
        const ticket = {
          ticket_id: `t-${++made}`,
          description: null,
          priority: 'normal',
          ...body,
          status: 'open',
          created_at: new Date().toISOString(),
          updated_at: new Date().toISOString(),
          comments: [],
        };
        tickets.unshift(ticket);
        return [201, { ticket_id: ticket.ticket_id, status: 'open', created_at: ticket.created_at }];
      }
      case 'GET tickets/id': {
        const ticket = tickets.find(({ ticket_id }) => ticket_id === item);
        return ticket ? [200, ticket] : [404, { message: 'no such ticket' }];
      }
      case 'POST tickets/id/comments': {
        const comment = {
          comment_id: `c-${++made}`,
          author: tenant.customer.email,
          body: body.body,
          created_at: new Date().toISOString(),
        };
        tickets.find(({ ticket_id }) => ticket_id === item)?.comments.push(comment);
        return [201, comment];
      }
      case 'GET api-keys':
        return [200, { api_keys: keys.map(({ secret, ...key }) => key) }];
      case 'POST api-keys': {
        const key = {
          api_key_id: `k-${++made}`,
          name: body.name,
          scope: body.scope,
          created_at: new Date().toISOString(),
        };
        const secret = `sbk.${id}.example-${made}-0123456789abcdef`;
        keys.unshift({ ...key, prefix: secret.slice(0, 13), last_used_at: null, secret });
        return [201, { ...key, api_key: secret }];
      }
      case 'DELETE api-keys/id': {
        const at = keys.findIndex(({ api_key_id }) => api_key_id === item);
        if (at < 0) return [404, { message: 'no such key' }];
        keys.splice(at, 1);
        return [204];
      }
      default:
        return [404, { message: 'Not Found' }];
    }
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock(Number(process.env.PORT ?? 22100));
  console.log(`${url}  ${kAccount.email}  ${kAccount.password}`);
}
