// The form island: draws a .form schema inside a server-rendered <form> and hands its values over as the field `variables`.
import { Form } from '@bpmn-io/form-js-viewer';
import flatpickr from 'flatpickr';
import { Mandarin } from 'flatpickr/dist/l10n/zh';
import './form/form.css';
import { translateSchema, type Labels } from './form/labels';
import { ServerRefusal, type ServerErrors } from './form/server_errors';
import { chineseModule, keepChinese } from './form/words';
import { fromBrowser, toBrowser } from './form/zone';
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
function connect(form: Form, schema: FormContent['schema'], refusal: ServerRefusal, host: HTMLElement, outer: HTMLFormElement): void {
  const values = hiddenInput(outer, host.dataset['inputName'] ?? 'variables');
  let sent = false;

  // The viewer's own <form> is nested in ours: its submit, by a button of the schema, means the page's main button.
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
      const stop = (): void => {
        event.preventDefault();
        event.stopImmediatePropagation();
      };
      if (sent) return stop();
      if (draft) {
        values.value = JSON.stringify(fromBrowser(schema, (form as unknown as FormInternals)._getSubmitData()));
        return;
      }
      refusal.forget();
      const { data, errors } = form.submit();
      if (Object.keys(errors).length > 0) {
        stop();
        // The viewer draws its errors in its own time.
        requestAnimationFrame(() => requestAnimationFrame(() => showFirstError(host)));
        return;
      }
      values.value = JSON.stringify(fromBrowser(schema, data as Record<string, unknown>));
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

/** Resolves when the viewer has drawn the fields, which it does some time after the import; or soon, for a form without any. */
function fieldsDrawn(form: Form): Promise<void> {
  return new Promise((resolve) => {
    const events = form.get<{ once(name: string, listener: () => void): void }>('eventBus');
    events.once('formFieldInstance.added', () => setTimeout(resolve));
    setTimeout(resolve, 1000);
  });
}

async function start(host: HTMLElement): Promise<void> {
  const { schema, data = {}, errors = {}, labels = {} } = readContent(host);
  const readOnly = host.hasAttribute('data-readonly');
  const form = new Form({
    container: host,
    properties: { readOnly },
    additionalModules: chinese ? [chineseModule] : [],
    // A value that waits 300 ms to be taken over is lost when the form is drawn anew meanwhile.
    debounce: false,
  } as ConstructorParameters<typeof Form>[0]);
  const refusal = new ServerRefusal(form, errors);
  const drawn = fieldsDrawn(form);
  await form.importSchema(translateSchema(schema, labels) as never, toBrowser(schema, data));
  if (chinese) keepChinese(host);
  const outer = host.closest('form');
  if (!readOnly && outer) connect(form, schema, refusal, host, outer);
  await drawn;
  host.classList.add('is-ready');
  if (Object.keys(errors).length > 0) {
    const homeless = refusal.show();
    if (homeless.length > 0) listAbove(host, homeless);
    requestAnimationFrame(() => requestAnimationFrame(() => showFirstError(host)));
  }
}

startIslands('[data-baton-form]', start);
