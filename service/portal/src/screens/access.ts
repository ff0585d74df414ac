// The way in: sign in, or sign up. Part of the first file, for it is what a visitor sees first.
import { ApiError, logIn, pricing, signUp } from '../api';
import { h } from '../dom';
import { money } from '../format';
import { submitting } from '../parts/dialog';
import { field, selectField, values } from '../parts/field';
import { picture } from '../parts/picture';
import type { Session } from '../session';
import { brand } from '../shell';

type Way = 'sign-in' | 'sign-up';
type Reason = 'ran-out' | 'signed-out' | null;
type Enter = (session: Session) => void;

const kTiers: readonly [string, string][] = [
  ['standard', 'Standard'],
  ['professional', 'Professional'],
  ['enterprise', 'Enterprise'],
  ['government', 'Government'],
];

export function showAccess(host: HTMLElement, way: Way, reason: Reason, enter: Enter): void {
  const title = way === 'sign-in' ? 'Sign in' : 'Create your account';
  document.title = `${title} · SecureBase`;
  const heading = h('h1', { tabindex: -1 }, title);
  host.replaceChildren(
    h(
      'div',
      { class: 'access' },
      h(
        'main',
        {},
        brand(),
        h('div', {}, heading, h('p', { class: 'lead' }, kLeads[way])),
        reason && h('div', { class: 'notice calm', role: 'status' }, h('p', {}, kReasons[reason])),
        way === 'sign-in' ? signInForm(enter) : signUpForm(enter),
        way === 'sign-in'
          ? h('p', { class: 'muted' }, 'New here? ', h('a', { href: '/sign-up' }, 'Create an account'))
          : h('p', { class: 'muted' }, 'You have an account? ', h('a', { href: '/sign-in' }, 'Sign in')),
      ),
      h(
        'aside',
        { class: 'art' },
        picture({
          name: 'basecamp',
          width: 960,
          height: 1200,
          sizes: '(max-width: 56rem) 100vw, 50vw',
          when: matchMedia('(max-width: 56rem)').matches ? 'lazy' : 'soon', // below the form on a small screen
        }),
        h('blockquote', {}, 'Solid ground for everything you build above it.'),
      ),
    ),
  );
  if (reason) heading.focus();
}

const kLeads: Record<Way, string> = {
  'sign-in': 'Usage, invoices, tickets and API keys of your account.',
  'sign-up': 'Nothing has to be set up: you can look around at once.',
};

const kReasons = {
  'ran-out': 'Your session has ended. Sign in again: you will be back on the same page.',
  'signed-out': 'You are signed out.',
} as const;

function signInForm(enter: Enter): HTMLElement {
  return submitting(
    [
      field('Email', 'email', { type: 'email', autocomplete: 'username', required: true }),
      field('Password', 'password', { type: 'password', autocomplete: 'current-password', required: true }),
    ],
    { submit: 'Sign in' },
    async (form) => {
      const { email = '', password = '' } = values(form);
      try {
        enter(await logIn({ email, password }));
      } catch (error) {
        if (!(error instanceof ApiError) || error.failure !== 'refused') throw error;
        throw new ApiError('refused', 'Email and password do not belong together. Check both and try again.');
      }
    },
  );
}

function signUpForm(enter: Enter): HTMLElement {
  const tier = selectField('Plan', 'tier', kTiers, 'standard');
  void nameThePrices(tier);
  return submitting(
    [
      field('Email', 'email', { type: 'email', autocomplete: 'username', required: true }),
      field('Password, at least 10 characters', 'password', {
        type: 'password',
        autocomplete: 'new-password',
        required: true,
        minlength: 10,
      }),
      field('Company (optional)', 'company', { autocomplete: 'organization', maxlength: 200 }),
      tier,
    ],
    { submit: 'Create account' },
    async (form) => {
      const { email = '', password = '', company, tier: plan = 'standard' } = values(form);
      enter(await signUp({ email, password, tier: plan, ...(company && { company }) }));
    },
  );
}

async function nameThePrices(tier: HTMLElement): Promise<void> {
  const prices = await pricing().catch(() => null); // without them the plans still have their names
  for (const option of tier.querySelectorAll('option')) {
    const price = prices?.pricing.find((candidate) => candidate.tier === option.value);
    if (prices && price) option.textContent = `${price.name}, ${money(price.monthly_price, prices.currency)} a month`;
  }
}
