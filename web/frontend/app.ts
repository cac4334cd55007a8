// Loaded on every page: htmx with the CSRF token, questions before risky steps, and lists that are worked with the keyboard.
import htmx from 'htmx.org';
import { installKeyboardLists } from './keyboard';
import { csrfToken } from './page';

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;

document.addEventListener('htmx:config:request', (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { request: { headers: Record<string, string> } } }>).detail;
  ctx.request.headers['X-CSRFToken'] = csrfToken();
});

/** Asks the question in `data-confirm`; on the capture phase, so that a "no" reaches neither the browser nor htmx. */
function askFirst(event: Event): void {
  const origin = event.target instanceof Element ? event.target : null;
  const asking = event.type === 'submit' ? (origin instanceof HTMLFormElement ? origin : null) : origin?.closest<HTMLElement>('[data-confirm]:not(form)');
  const question = asking?.dataset['confirm'];
  if (question && !window.confirm(question)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

document.addEventListener('click', askFirst, true);
document.addEventListener('submit', askFirst, true);
installKeyboardLists();
