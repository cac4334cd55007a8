// What part of a diagram one sees: all of it, or one element at a size that can be read.
import type Canvas from 'diagram-js/lib/core/Canvas';
import type { ElementLike } from 'diagram-js/lib/core/Types';

/** Below this scale the labels of a diagram cannot be read. */
const READABLE = 0.6;
/** The scale at which a single step is shown. */
const COMFORTABLE = 0.85;

/**
 * Shows the whole diagram with a margin; answers whether its labels can be read at that size.
 *
 * `covered` is the width in pixels at the left that something else lies over.
 */
export function showWhole(canvas: Canvas, covered = 0): boolean {
  const { inner, outer } = canvas.viewbox();
  const [width, height] = [outer.width - covered, outer.height];
  const scale = Math.min(1, 0.96 * Math.min(width / Math.max(inner.width, 1), height / Math.max(inner.height, 1)));
  look(canvas, { x: inner.x + inner.width / 2 - covered / 2 / scale, y: inner.y + inner.height / 2 }, scale, outer);
  return scale >= READABLE;
}

/** Puts the element into the middle, enlarged to a readable size if it is smaller. */
export function centre(canvas: Canvas, element: ElementLike): void {
  const scale = Math.max(canvas.zoom(), COMFORTABLE);
  look(canvas, middleOf(element), scale, canvas.viewbox().outer);
}

/** Moves the view if the element is not well inside it. */
export function bringIntoView(canvas: Canvas, element: ElementLike): void {
  const { x, y, width, height } = canvas.viewbox();
  const at = middleOf(element);
  const [marginX, marginY] = [width * 0.08, height * 0.08];
  const inside = at.x > x + marginX && at.x < x + width - marginX && at.y > y + marginY && at.y < y + height - marginY;
  if (!inside || canvas.zoom() < READABLE) centre(canvas, element);
}

/** One step nearer (factor above 1) or farther, around the middle of the view. */
export function zoomBy(canvas: Canvas, factor: number): void {
  const { x, y, width, height, outer } = canvas.viewbox();
  look(canvas, { x: x + width / 2, y: y + height / 2 }, Math.max(0.1, Math.min(4, canvas.zoom() * factor)), outer);
}

function look(canvas: Canvas, at: { x: number; y: number }, scale: number, outer: { width: number; height: number }): void {
  const [width, height] = [outer.width / scale, outer.height / scale];
  canvas.viewbox({ x: at.x - width / 2, y: at.y - height / 2, width, height });
}

function middleOf(element: ElementLike): { x: number; y: number } {
  const points = (element as { waypoints?: { x: number; y: number }[] }).waypoints;
  const halfway = points?.[Math.floor(points.length / 2)];
  if (halfway) return halfway;
  const { x, y, width, height } = element as unknown as { x: number; y: number; width: number; height: number };
  return { x: x + width / 2, y: y + height / 2 };
}
