// Modal dialogs on <dialog>: the browser keeps the focus inside, closes on Escape and gives the focus back.
import { type Child, h } from '../dom';
import { notice } from './state';

export interface Dialog {
  close(): void;
  show(...content: Child[]): void;
}

export function openDialog(title: string, ...content: Child[]): Dialog {
  const heading = h('h2', { id: 'dialog-title' }, title);
  const body = h('div', { class: 'stack' }, ...content);
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, heading, body);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return {
    close: () => dialog.close(),
    show: (...next) => body.replaceChildren(...next.filter((child): child is Node => child instanceof Node)),
  };
}

/** A form whose button waits while `submit` works, and which stays open and says why when it fails. */
export function submitting(
  parts: Child[],
  labels: { submit: string; tone?: 'main' | 'danger'; cancel?: () => void },
  submit: (form: HTMLFormElement) => Promise<void>,
): HTMLFormElement {
  const trouble = h('div', { hidden: true });
  const button = h('button', { class: `button ${labels.tone ?? 'main'}`, type: 'submit' }, labels.submit);
  const form = h(
    'form',
    { class: 'form', method: 'post' },
    ...parts,
    trouble,
    h(
      'div',
      { class: 'actions' },
      labels.cancel && h('button', { class: 'button', type: 'button', onclick: labels.cancel }, 'Cancel'),
      button,
    ),
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    trouble.hidden = true;
    try {
      await submit(form);
    } catch (error) {
      trouble.replaceChildren(notice(error));
      trouble.hidden = false;
    }
    button.disabled = false;
  });
  return form;
}
