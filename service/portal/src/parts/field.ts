// A labelled control. Limits and requirements are HTML's own, so the browser explains them in the user's language.
import { h } from '../dom';

type Attributes = Record<string, string | number | boolean>;

export const field = (label: string, name: string, attributes: Attributes = {}): HTMLElement =>
  around(label, name, h('input', { id: name, name, ...attributes }));

export const textField = (label: string, name: string, attributes: Attributes = {}): HTMLElement =>
  around(label, name, h('textarea', { id: name, name, ...attributes }));

export const selectField = (
  label: string,
  name: string,
  options: readonly [value: string, text: string][],
  chosen: string,
) =>
  around(
    label,
    name,
    h(
      'select',
      { id: name, name },
      options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
    ),
  );

const around = (label: string, name: string, control: HTMLElement): HTMLElement =>
  h('div', { class: 'field' }, h('label', { for: name }, label), control);

/** The form's values as strings, trimmed; a password stays as it was typed. */
export function values(form: HTMLFormElement): Record<string, string> {
  const entries = [...new FormData(form).entries()];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === 'password' ? String(value) : String(value).trim()]),
  );
}
