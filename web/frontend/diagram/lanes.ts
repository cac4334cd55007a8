// Heads of lanes that stay in sight: whose lane it is, also when the view begins in the middle of the diagram.
import type Canvas from 'diagram-js/lib/core/Canvas';
import type ElementRegistry from 'diagram-js/lib/core/ElementRegistry';
import type EventBus from 'diagram-js/lib/core/EventBus';

interface Lane {
  x: number;
  y: number;
  height: number;
  businessObject: { name?: string; childLaneSet?: unknown };
}

/** The strip at the left of a lane in which its name is drawn. */
const HEAD = 30;
/** Less than this many pixels of a lane are not worth a head. */
const LEAST = 60;

/** Lays a head over the left edge for each lane in view whose own head is not. */
export function keepLaneHeads(host: HTMLElement, canvas: Canvas, elements: ElementRegistry, events: EventBus): void {
  const lanes = elements
    .filter((element) => element['type'] === 'bpmn:Lane')
    .map((element) => element as unknown as Lane)
    .filter(({ businessObject }) => businessObject.name && !businessObject.childLaneSet);
  if (lanes.length === 0) return;
  const heads = Object.assign(document.createElement('div'), { className: 'b-lane-heads' });
  // Whoever reads by ear finds the lanes in the diagram's own text.
  heads.setAttribute('aria-hidden', 'true');
  host.append(heads);

  const draw = (): void => {
    const { x, y, scale, outer } = canvas.viewbox();
    heads.replaceChildren();
    for (const lane of lanes) {
      if ((lane.x + HEAD / 2 - x) * scale >= 0) continue;
      const top = Math.max((lane.y - y) * scale, 0);
      const bottom = Math.min((lane.y + lane.height - y) * scale, outer.height);
      if (bottom - top < LEAST) continue;
      const head = Object.assign(document.createElement('div'), { className: 'b-lane-head', textContent: lane.businessObject.name ?? '' });
      head.style.top = `${top}px`;
      head.style.height = `${bottom - top}px`;
      heads.append(head);
    }
  };
  events.on('canvas.viewbox.changed', draw);
  draw();
}
