// Lists marked data-keyboard-list: j/k or arrows move, Home/End jump, Enter opens, c claims.

const LIST = '[data-keyboard-list]';
const CURRENT = 'is-current';

/** Where one was last, for when the server has put a new row in the place of the current one. */
let lastIndex = -1;

function rowsOf(list: Element): HTMLElement[] {
  const marked = [...list.querySelectorAll<HTMLElement>('[data-keyboard-row]')];
  return marked.length > 0 ? marked : ([...list.children] as HTMLElement[]);
}

/** The list that keys speak to: the one with the focus, else the page's first. */
function currentList(): Element | null {
  return document.activeElement?.closest(LIST) ?? document.querySelector(LIST);
}

function currentIndex(rows: HTMLElement[]): number {
  const focused = rows.findIndex((row) => row.contains(document.activeElement));
  return focused >= 0 ? focused : rows.findIndex((row) => row.classList.contains(CURRENT));
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select, [role="combobox"], [role="listbox"]'));
}

function select(rows: HTMLElement[], index: number): void {
  const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
  if (!row) return;
  lastIndex = rows.indexOf(row);
  for (const other of rows) other.classList.toggle(CURRENT, other === row);
  if (!row.hasAttribute('tabindex')) row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
}

function press(row: HTMLElement | undefined, selector: string): boolean {
  const target = row?.querySelector<HTMLElement>(selector);
  target?.click();
  return target !== null && target !== undefined;
}

/** Does what the key means in this list; answers whether it meant anything. */
function act(key: string, rows: HTMLElement[]): boolean {
  const index = currentIndex(rows);
  const from = index < 0 ? lastIndex : index;
  switch (key) {
    case 'j':
    case 'ArrowDown':
      select(rows, from + 1);
      return true;
    case 'k':
    case 'ArrowUp':
      select(rows, from - 1);
      return true;
    case 'Home':
      select(rows, 0);
      return true;
    case 'End':
      select(rows, rows.length - 1);
      return true;
    case 'Enter':
      // A focused link or button inside the row has its own Enter.
      return document.activeElement === rows[index] && press(rows[index], '[data-keyboard-open], a[href]');
    case 'c':
      return press(rows[index], '[data-keyboard-claim]');
    default:
      return false;
  }
}

/** Listens once for the whole page, so that lists swapped in later work too. */
export function installKeyboardLists(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const list = currentList();
    const inside = list?.contains(document.activeElement) ?? false;
    // Outside the list the arrow keys, Home and End keep scrolling the page.
    if (!list || (!inside && !['j', 'k', 'c', 'Enter'].includes(event.key))) return;
    const rows = rowsOf(list);
    if (rows.length > 0 && act(event.key, rows)) event.preventDefault();
  });
  document.addEventListener('focusin', (event) => {
    const list = event.target instanceof Element ? event.target.closest(LIST) : null;
    if (!list) return;
    const rows = rowsOf(list);
    const holder = rows.find((row) => row.contains(event.target as Node));
    if (holder) lastIndex = rows.indexOf(holder);
    for (const row of rows) row.classList.toggle(CURRENT, row === holder);
  });
}
