// The form island: draws a .form schema inside a server-rendered <form> and hands its values over as the field `variables`.
import { Form } from '@bpmn-io/form-js-viewer';
import flatpickr from 'flatpickr';
import { Mandarin } from 'flatpickr/dist/l10n/zh';
import './form/form.css';
import { translateSchema, type Labels } from './form/labels';
import { showServerErrors, type ServerErrors } from './form/server_errors';
import { chineseModule, keepChinese } from './form/words';
import { pageLanguage, startIslands } from './page';

interface FormContent {
  schema: Record<string, unknown>;
  data?: Record<string, unknown>;
  errors?: ServerErrors;
  labels?: Labels;
}

/** What the viewer does not publish; a draft is its data without the validation that `submit()` adds. */
interface FormInternals {
  _getSubmitData(): Record<string, unknown>;
}

const chinese = pageLanguage() === 'zh';
if (chinese) flatpickr.localize(Mandarin);

function readContent(host: HTMLElement): FormContent {
  const script = host.querySelector('script[type="application/json"]');
  if (!script) throw new Error('no form content');
  return JSON.parse(script.textContent ?? '') as FormContent;
}

function listAbove(host: HTMLElement, sentences: string[]): void {
  const box = document.createElement('ul');
  box.className = 'b-form-problems';
  box.setAttribute('role', 'alert');
  for (const sentence of sentences) box.append(Object.assign(document.createElement('li'), { textContent: sentence }));
  host.prepend(box);
}

function showFirstError(host: HTMLElement): void {
  const field = host.querySelector<HTMLElement>('.fjs-has-errors');
  if (!field) return;
  field.scrollIntoView({ block: 'center' });
  field.querySelector<HTMLElement>('input:not([type="hidden"]), textarea, select, [tabindex]')?.focus({ preventScroll: true });
}

function hiddenInput(outer: HTMLFormElement, name: string): HTMLInputElement {
  const existing = outer.elements.namedItem(name);
  if (existing instanceof HTMLInputElement) return existing;
  const input = Object.assign(document.createElement('input'), { type: 'hidden', name });
  outer.append(input);
  return input;
}

/** Connects the viewer with the page's <form>: validation before it is sent, values into the hidden input. */
function connect(form: Form, host: HTMLElement, outer: HTMLFormElement): void {
  const values = hiddenInput(outer, host.dataset['inputName'] ?? 'variables');
  let sent = false;

  // The viewer's own <form> is nested in ours: Enter in a field, or a button of the schema, means the page's main button.
  host.addEventListener(
    'submit',
    (event) => {
      event.preventDefault();
      event.stopPropagation();
      const main = [...outer.elements].find(
        (element): element is HTMLButtonElement =>
          element instanceof HTMLButtonElement && element.type === 'submit' && !element.formNoValidate && !host.contains(element),
      );
      outer.requestSubmit(main);
    },
    true,
  );

  // On the window, and so before htmx and before the question in data-confirm: nobody is asked about a form that is not complete.
  window.addEventListener(
    'submit',
    (event) => {
      if (event.target !== outer) return;
      const draft = event.submitter instanceof HTMLButtonElement && event.submitter.formNoValidate;
      const refuse = (): void => {
        event.preventDefault();
        event.stopImmediatePropagation();
      };
      if (sent) return refuse();
      if (draft) {
        values.value = JSON.stringify((form as unknown as FormInternals)._getSubmitData());
        return;
      }
      const { data, errors } = form.submit();
      if (Object.keys(errors).length > 0) {
        refuse();
        // The viewer draws its errors in its own time.
        requestAnimationFrame(() => requestAnimationFrame(() => showFirstError(host)));
        return;
      }
      values.value = JSON.stringify(data);
    },
    true,
  );

  // A second click while the first is on its way is not a second answer. htmx prevents the default and looks after this by itself.
  window.addEventListener('submit', (event) => {
    if (event.target === outer) sent = !event.defaultPrevented;
  });
  window.addEventListener('pageshow', () => {
    sent = false;
  });
}

async function start(host: HTMLElement): Promise<void> {
  const { schema, data = {}, errors = {}, labels = {} } = readContent(host);
  const readOnly = host.hasAttribute('data-readonly');
  const form = new Form({
    container: host,
    properties: { readOnly },
    additionalModules: chinese ? [chineseModule] : [],
  });
  await form.importSchema(translateSchema(schema, labels) as never, data);
  if (chinese) keepChinese(host);
  host.classList.add('is-ready');

  const outer = host.closest('form');
  if (!readOnly && outer) connect(form, host, outer);
  if (Object.keys(errors).length > 0) {
    const homeless = showServerErrors(form, errors);
    if (homeless.length > 0) listAbove(host, homeless);
    requestAnimationFrame(() => requestAnimationFrame(() => showFirstError(host)));
  }
}

startIslands('[data-baton-form]', start);
