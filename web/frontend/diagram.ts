// The diagram island: a process diagram with an instance's tokens, tied to the rows of the page that speak of its elements.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import type Canvas from 'diagram-js/lib/core/Canvas';
import type ElementRegistry from 'diagram-js/lib/core/ElementRegistry';
import type EventBus from 'diagram-js/lib/core/EventBus';
import type { ElementLike } from 'diagram-js/lib/core/Types';
import type Overlays from 'diagram-js/lib/features/overlays/Overlays';
import { Chooser } from './diagram/chooser';
import './diagram/diagram.css';
import { keepLaneHeads } from './diagram/lanes';
import { TokenLayer, type InstanceState } from './diagram/tokens';
import { enableTouch } from './diagram/touch';
import { bringIntoView, centre, showWhole, zoomBy } from './diagram/view';
import { pageLanguage, startIslands } from './page';
import { fetchJson, fetchText } from './requests';

const WORDS = {
  en: { diagram: 'Process diagram', whole: 'All', where: 'Current step', nearer: 'Zoom in', farther: 'Zoom out' },
  zh: { diagram: '流程图', whole: '全图', where: '当前步骤', nearer: '放大', farther: '缩小' },
}[pageLanguage()];

/** Rows of the page, and not the viewer's own drawing, which uses the same attribute. */
function rowsFor(elementId: string): HTMLElement[] {
  return pageRows().filter((row) => row.dataset['elementId'] === elementId);
}

function pageRows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-element-id]')].filter((row) => !row.closest('.djs-container'));
}

class Diagram {
  private readonly viewer: NavigatedViewer;
  private readonly canvas: Canvas;
  private readonly elements: ElementRegistry;
  private readonly tokens: TokenLayer;
  private chooser: Chooser | null = null;
  private state: InstanceState = {};
  private selected: string | null = null;

  constructor(private readonly host: HTMLElement) {
    this.viewer = new NavigatedViewer({ container: host });
    this.canvas = this.viewer.get<Canvas>('canvas');
    this.elements = this.viewer.get<ElementRegistry>('elementRegistry');
    this.tokens = new TokenLayer(this.canvas, this.viewer.get<Overlays>('overlays'), this.elements, (id) => this.choose(id));
  }

  async open(xml: string): Promise<void> {
    await this.viewer.importXML(xml);
    this.viewer.get<EventBus>('eventBus').on<{ element: ElementLike & { labelTarget?: ElementLike } }>('element.click', ({ element }) => {
      const chosen = element.labelTarget ?? element;
      if (chosen !== this.canvas.getRootElement()) this.choose(chosen.id);
    });
    const { host } = this;
    host.setAttribute('role', 'region');
    host.setAttribute('aria-label', WORDS.diagram);
    // The wheel scrolls the page, as everywhere else; with Ctrl (and so by pinching a touchpad) it zooms the diagram.
    host.addEventListener('wheel', (event) => (event.ctrlKey || event.metaKey ? undefined : event.stopPropagation()), { capture: true });
    const canvasElement = host.querySelector<HTMLElement>('.djs-container');
    if (canvasElement) enableTouch(canvasElement, this.canvas);
    host.append(this.tools());
    keepLaneHeads(host, this.canvas, this.elements, this.viewer.get<EventBus>('eventBus'));
    const form = host.dataset['chooser'] ? document.getElementById(host.dataset['chooser']) : null;
    if (form instanceof HTMLFormElement) this.chooser = new Chooser(form, this.canvas, this.elements);
  }

  draw(state: InstanceState): void {
    this.state = state;
    this.tokens.draw(state);
  }

  /** All of it if it can be read, else the part where something is going on. */
  showFirst(): void {
    if (showWhole(this.canvas)) return;
    const { host } = this;
    const start = host.dataset['selected'] ?? this.places()[0] ?? this.startEvent();
    if (start) this.focus(start);
  }

  focus(elementId: string): void {
    const element = this.elements.get(elementId);
    if (element) centre(this.canvas, element);
  }

  /** Marks the element here and its rows on the page, and tells the page. */
  choose(elementId: string): void {
    this.chooser?.choose(elementId);
    this.mark(elementId);
    const rows = rowsFor(elementId);
    rows[0]?.scrollIntoView({ block: 'nearest' });
    this.host.dispatchEvent(new CustomEvent('baton:element-selected', { bubbles: true, detail: { elementId } }));
  }

  mark(elementId: string): void {
    const element = this.elements.get(elementId);
    if (this.selected) this.canvas.removeMarker(this.selected, 'b-selected');
    this.selected = element ? elementId : null;
    if (element) {
      this.canvas.addMarker(elementId, 'b-selected');
      bringIntoView(this.canvas, element);
    }
    for (const row of pageRows()) row.classList.toggle('is-selected', row.dataset['elementId'] === elementId);
  }

  private places(): string[] {
    return [...(this.state.incidents ?? []), ...(this.state.active ?? [])].map(({ elementId }) => elementId).filter((id) => this.elements.get(id));
  }

  private startEvent(): string | undefined {
    return this.elements.find((element) => element['type'] === 'bpmn:StartEvent')?.id;
  }

  private tools(): HTMLElement {
    const bar = Object.assign(document.createElement('div'), { className: 'b-diagram-tools' });
    const add = (text: string, title: string, action: () => void): void => {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text, title });
      button.setAttribute('aria-label', title);
      button.addEventListener('click', action);
      bar.append(button);
    };
    let next = 0;
    if (this.host.dataset['stateUrl']) {
      add(WORDS.where, WORDS.where, () => {
        const places = this.places();
        const place = places[next++ % Math.max(places.length, 1)];
        if (place) this.focus(place);
      });
    }
    add(WORDS.whole, WORDS.whole, () => showWhole(this.canvas));
    add('−', WORDS.farther, () => zoomBy(this.canvas, 1 / 1.3));
    add('+', WORDS.nearer, () => zoomBy(this.canvas, 1.3));
    return bar;
  }
}

async function start(host: HTMLElement): Promise<void> {
  const { xmlUrl, stateUrl, selected } = host.dataset;
  if (!xmlUrl) throw new Error('data-xml-url is missing');
  const readState = (): Promise<InstanceState> => (stateUrl ? fetchJson<InstanceState>(stateUrl) : Promise.resolve({}));
  const diagram = new Diagram(host);
  const [xml, state] = await Promise.all([fetchText(xmlUrl), readState()]);
  await diagram.open(xml);
  diagram.draw(state);
  diagram.showFirst();
  if (selected) diagram.mark(selected);
  host.classList.add('is-ready');

  const refresh = async (): Promise<void> => diagram.draw(await readState());
  const onRefresh = (): void => {
    // A page that was swapped away leaves its listener behind; it removes itself at the first chance.
    if (!host.isConnected) document.removeEventListener('baton:refresh', onRefresh, true);
    else void refresh().catch(console.error);
  };
  // On the way down, so that an event hits home whether it bubbles or not.
  document.addEventListener('baton:refresh', onRefresh, true);

  document.addEventListener('click', (event) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-element-id][data-diagram-focus]') : null;
    const elementId = row?.dataset['elementId'];
    if (!host.isConnected || !elementId) return;
    diagram.mark(elementId);
    diagram.focus(elementId);
  });
}

startIslands('[data-baton-diagram]', start);
