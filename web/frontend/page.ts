// What every script knows about its page: its language, its CSRF token, and when new content arrives.

/** The two languages that pages come in. */
export type Language = 'en' | 'zh';

export function pageLanguage(): Language {
  return document.documentElement.lang.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/** The company's time zone (IANA), in which every page shows its times; without one it is the browser's. */
export function companyZone(): string | undefined {
  return document.querySelector<HTMLMetaElement>('meta[name="time-zone"]')?.content;
}

/** The token that the server wants with every request that changes something; empty on a page without one. */
export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? '';
}

/**
 * Starts an island in every element that matches, now and in whatever htmx swaps in later; each element once.
 *
 * A failure is shown in the element itself, because an empty box tells a person nothing.
 */
export function startIslands(selector: string, start: (element: HTMLElement) => Promise<void> | void): void {
  const started = new WeakSet<HTMLElement>();
  const scan = (root: ParentNode): void => {
    const found = [...root.querySelectorAll<HTMLElement>(selector)];
    if (root instanceof HTMLElement && root.matches(selector)) found.unshift(root);
    for (const element of found) {
      if (started.has(element)) continue;
      started.add(element);
      void Promise.resolve()
        .then(() => start(element))
        .catch((error: unknown) => {
          console.error(error);
          showFailure(element, error);
        });
    }
  };
  scan(document);
  document.addEventListener('htmx:after:process', (event) => {
    if (event.target instanceof HTMLElement) scan(event.target);
    else scan(document);
  });
}

function showFailure(element: HTMLElement, error: unknown): void {
  const box = document.createElement('div');
  box.className = 'alert alert-warning b-island-failure';
  box.setAttribute('role', 'alert');
  const sentence = pageLanguage() === 'zh' ? '此部分未能显示，请重新载入页面。' : 'This part could not be shown. Please reload the page.';
  box.textContent = `${sentence} (${error instanceof Error ? error.message : String(error)})`;
  element.prepend(box);
}
