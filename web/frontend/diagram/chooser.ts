// Choosing on the diagram: a click on a step where the case stands, then one on the step where it shall go on, sets the lists beside it.
import type Canvas from 'diagram-js/lib/core/Canvas';
import type ElementRegistry from 'diagram-js/lib/core/ElementRegistry';
import { pageLanguage } from '../page';

const FROM = 'b-from';
const TO = 'b-to';

const WORDS = {
  en: {
    where: (name: string) => `Now click the step where “${name}” shall go on, or “${name}” itself to take it away.`,
    not: 'This step cannot be chosen.',
  },
  zh: {
    where: (name: string) => `请点击“${name}”之后改到的步骤；再次点击“${name}”则撤回。`,
    not: '不能选择这个步骤。',
  },
}[pageLanguage()];

function change(select: HTMLSelectElement, value: string): void {
  select.value = value;
  select.dispatchEvent(new Event('change', { bubbles: true }));
}

/** The first choice of a list that stands for an element. */
function optionFor(select: HTMLSelectElement, elementId: string): HTMLOptionElement | undefined {
  return [...select.options].find((option) => option.dataset['element'] === elementId);
}

/** Ties a form with lists to the diagram; the lists say what is chosen, the diagram only shows it. */
export class Chooser {
  private current: HTMLElement | null = null;
  private marked: [id: string, marker: string][] = [];
  private readonly hint: HTMLElement | null = document.querySelector('[data-chooser-hint]');

  constructor(
    private readonly form: HTMLFormElement,
    private readonly canvas: Canvas,
    private readonly elements: ElementRegistry,
  ) {
    form.addEventListener('change', () => this.draw());
    form.addEventListener('focusin', (event) => {
      const place = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-chooser-place]') : null;
      if (place) this.begin(place);
    });
    this.draw();
  }

  /** A step was clicked in the diagram. */
  choose(elementId: string): void {
    const { current } = this;
    const place = this.places().find((row) => row.dataset['elementId'] === elementId);
    if (current) {
      this.begin(null);
      const select = current.querySelector('select');
      const option = select && (current === place ? [...select.options].find(({ value }) => value === 'withdraw') : optionFor(select, elementId));
      if (select && option) change(select, option.value);
      else this.say(WORDS.not);
    } else if (place) {
      this.begin(place);
    } else {
      this.start(elementId);
    }
  }

  private start(elementId: string): void {
    const selects = [...this.form.querySelectorAll<HTMLSelectElement>('select[data-chooser-start]')];
    const chosen = selects.find((select) => select.selectedOptions[0]?.dataset['element'] === elementId);
    const select = chosen ?? selects.find(({ value }) => value === '') ?? selects.at(-1);
    const option = select && optionFor(select, elementId);
    if (chosen) change(chosen, '');
    else if (select && option) change(select, option.value);
    else this.say(WORDS.not);
  }

  private begin(place: HTMLElement | null): void {
    this.current?.classList.remove('is-choosing');
    this.current = place;
    place?.classList.add('is-choosing');
    const name = place?.querySelector('label')?.firstChild?.textContent?.trim();
    if (name) this.say(WORDS.where(name));
  }

  private say(text: string): void {
    if (this.hint) this.hint.textContent = text;
  }

  private places(): HTMLElement[] {
    return [...this.form.querySelectorAll<HTMLElement>('[data-chooser-place]')];
  }

  private draw(): void {
    for (const [id, marker] of this.marked) this.canvas.removeMarker(id, marker);
    this.marked = [];
    for (const place of this.places()) {
      const select = place.querySelector('select');
      if (!select?.value) continue;
      this.mark(place.dataset['elementId'], FROM);
      this.mark(select.selectedOptions[0]?.dataset['element'], TO);
    }
    for (const select of this.form.querySelectorAll<HTMLSelectElement>('select[data-chooser-start]')) {
      this.mark(select.selectedOptions[0]?.dataset['element'], TO);
    }
  }

  private mark(id: string | undefined, marker: string): void {
    if (!id || !this.elements.get(id)) return;
    this.canvas.addMarker(id, marker);
    this.marked.push([id, marker]);
  }
}
