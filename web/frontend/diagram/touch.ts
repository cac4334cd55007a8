// Moving and zooming a canvas with fingers, which the viewer itself offers for mouse and wheel only.
import type Canvas from 'diagram-js/lib/core/Canvas';

const SMALLEST = 0.1;
const LARGEST = 4;

interface Finger {
  x: number;
  y: number;
}

function distance([a, b]: [Finger, Finger]): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function middle([a, b]: [Finger, Finger]): Finger {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/** One finger moves the canvas, two fingers zoom it around the point between them. */
export function enableTouch(container: HTMLElement, canvas: Canvas): void {
  const fingers = new Map<number, Finger>();

  const move = (before: Finger[], after: Finger[]): void => {
    if (before.length === 1) {
      const [from, to] = [before[0] as Finger, after[0] as Finger];
      canvas.scroll({ dx: to.x - from.x, dy: to.y - from.y });
      return;
    }
    const [from, to] = [before.slice(0, 2) as [Finger, Finger], after.slice(0, 2) as [Finger, Finger]];
    const frame = container.getBoundingClientRect();
    const [fromMiddle, toMiddle] = [middle(from), middle(to)];
    canvas.scroll({ dx: toMiddle.x - fromMiddle.x, dy: toMiddle.y - fromMiddle.y });
    const scale = Math.max(SMALLEST, Math.min(LARGEST, canvas.zoom() * (distance(to) / Math.max(distance(from), 1))));
    canvas.zoom(scale, { x: toMiddle.x - frame.left, y: toMiddle.y - frame.top });
  };

  const lift = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
  };

  container.style.touchAction = 'none';
  container.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch') fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  container.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = [...fingers.values()];
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    move(before, [...fingers.values()]);
  });
  for (const name of ['pointerup', 'pointercancel', 'pointerleave'] as const) container.addEventListener(name, lift);
}
