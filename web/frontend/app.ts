// Loaded on every page: htmx with the CSRF token, questions before risky steps, boxes that are ticked together, and
// lists that are worked with the keyboard.
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

/** Ticks all boxes that the selector in `data-tick` finds, or none of them when all are ticked. */
function tickAll(event: Event): void {
  const selector = event.target instanceof Element && event.target.closest<HTMLElement>('[data-tick]')?.dataset['tick'];
  if (!selector) return;
  const boxes = [...document.querySelectorAll<HTMLInputElement>(selector)];
  const wanted = !boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = wanted;
}

document.addEventListener('click', askFirst, true);
document.addEventListener('click', tickAll);
document.addEventListener('submit', askFirst, true);
installKeyboardLists();
