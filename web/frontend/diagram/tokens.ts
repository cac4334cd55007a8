// An instance's state drawn on its diagram: tokens, incidents, and the way it came.
import type Canvas from 'diagram-js/lib/core/Canvas';
import type ElementRegistry from 'diagram-js/lib/core/ElementRegistry';
import type Overlays from 'diagram-js/lib/features/overlays/Overlays';
import { pageLanguage } from '../page';

export interface ElementCount {
  elementId: string;
  count: number;
}

/** What the server answers at data-state-url. */
export interface InstanceState {
  active?: ElementCount[];
  incidents?: ElementCount[];
  completed?: ElementCount[];
  flows?: string[];
}

const OVERLAY = 'baton-state';
const ACTIVE = 'b-active';
const INCIDENT = 'b-incident';
const VISITED = 'b-visited';

const WORDS = {
  en: { active: (count: number) => `${count} active here`, incident: (count: number) => `${count} incident${count === 1 ? '' : 's'} here` },
  zh: { active: (count: number) => `${count} 个正在此处`, incident: (count: number) => `此处有 ${count} 个故障` },
}[pageLanguage()];

/** Draws one state after the other on the same diagram. */
export class TokenLayer {
  private marked: [id: string, marker: string][] = [];

  constructor(
    private readonly canvas: Canvas,
    private readonly overlays: Overlays,
    private readonly elements: ElementRegistry,
    private readonly onBadge: (elementId: string) => void,
  ) {}

  draw(state: InstanceState): void {
    for (const [id, marker] of this.marked) this.canvas.removeMarker(id, marker);
    this.marked = [];
    this.overlays.remove({ type: OVERLAY });

    for (const id of [...(state.flows ?? []), ...(state.completed ?? []).map(({ elementId }) => elementId)]) this.mark(id, VISITED);
    for (const { elementId, count } of state.active ?? []) {
      this.mark(elementId, ACTIVE);
      this.badge(elementId, count, 'b-token', WORDS.active(count), { top: -12, right: 14 });
    }
    for (const { elementId, count } of state.incidents ?? []) {
      this.mark(elementId, INCIDENT);
      this.badge(elementId, count, 'b-token b-token--incident', WORDS.incident(count), { bottom: 12, right: 14 });
    }
  }

  private mark(id: string, marker: string): void {
    // A state may name elements of another version of the process.
    if (!this.elements.get(id)) return;
    this.canvas.addMarker(id, marker);
    this.marked.push([id, marker]);
  }

  private badge(id: string, count: number, className: string, title: string, position: Record<string, number>): void {
    if (!this.elements.get(id)) return;
    const badge = Object.assign(document.createElement('button'), { type: 'button', className, title, textContent: String(count) });
    badge.setAttribute('aria-label', title);
    badge.addEventListener('click', (event) => {
      event.stopPropagation();
      this.onBadge(id);
    });
    this.overlays.add(id, OVERLAY, { position, html: badge, scale: { min: 0.9, max: 1.2 } });
  }
}
