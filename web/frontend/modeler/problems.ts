// What the server found wrong with a diagram: a list to click, and marks at the elements.
import type Canvas from 'diagram-js/lib/core/Canvas';
import type ElementRegistry from 'diagram-js/lib/core/ElementRegistry';
import type Overlays from 'diagram-js/lib/features/overlays/Overlays';
import type Selection from 'diagram-js/lib/features/selection/Selection';
import { centre } from '../diagram/view';
import { pageLanguage } from '../page';

export interface Problem {
  elementId?: string | null;
  line?: number | null;
  severity: 'error' | 'warning';
  message: string;
}

/** The diagram services that marks and selection need. */
export interface DiagramServices {
  canvas: Canvas;
  elements: ElementRegistry;
  overlays: Overlays;
  selection: Selection;
}

const OVERLAY = 'baton-problem';
const WORDS = {
  en: { none: 'No problems found.', error: 'Error', warning: 'Warning', line: (line: number) => `line ${line}` },
  zh: { none: '未发现问题。', error: '错误', warning: '警告', line: (line: number) => `第 ${line} 行` },
}[pageLanguage()];

export class ProblemView {
  /** The box is where the list goes; without one, the marks at the elements have to do. */
  constructor(
    private readonly box: HTMLElement | null,
    private readonly diagram: DiagramServices,
  ) {
    box?.classList.add('b-problems');
    box?.setAttribute('aria-live', 'polite');
  }

  /** Replaces what was shown before. */
  show(problems: Problem[]): void {
    this.clear();
    if (problems.length === 0) {
      this.say(WORDS.none);
      return;
    }
    const list = document.createElement('ul');
    for (const problem of problems) list.append(this.entry(problem));
    this.box?.replaceChildren(list);
    const byElement = new Map<string, Problem[]>();
    for (const problem of problems) {
      const { elementId } = problem;
      if (elementId && this.diagram.elements.get(elementId)) byElement.set(elementId, [...(byElement.get(elementId) ?? []), problem]);
    }
    for (const [elementId, itsProblems] of byElement) this.mark(elementId, itsProblems);
  }

  /** One sentence in place of the list. */
  say(sentence: string): void {
    this.box?.replaceChildren(Object.assign(document.createElement('p'), { textContent: sentence }));
  }

  clear(): void {
    this.diagram.overlays.remove({ type: OVERLAY });
    this.box?.replaceChildren();
  }

  private entry({ elementId, line, severity, message }: Problem): HTMLLIElement {
    const item = document.createElement('li');
    const element = elementId ? this.diagram.elements.get(elementId) : undefined;
    const where = element ? ((element['businessObject'] as { name?: string }).name ?? elementId) : (elementId ?? '');
    const place = [where, line ? WORDS.line(line) : ''].filter(Boolean).join(' · ');
    const text = document.createElement(element ? 'button' : 'div');
    if (text instanceof HTMLButtonElement) {
      text.type = 'button';
      text.addEventListener('click', () => this.reveal(elementId as string));
    }
    text.className = 'b-problem';
    text.append(
      Object.assign(document.createElement('span'), { className: `b-problem-mark b-problem-mark--${severity}`, textContent: WORDS[severity] }),
      Object.assign(document.createElement('span'), { textContent: message }),
      Object.assign(document.createElement('span'), { className: 'b-muted', textContent: place }),
    );
    item.append(text);
    return item;
  }

  private reveal(elementId: string): void {
    const { canvas, elements, selection } = this.diagram;
    const element = elements.get(elementId);
    if (!element) return;
    // The element may lie on the plane of a collapsed sub-process.
    const root = canvas.findRoot(element as never);
    if (root && root !== canvas.getRootElement()) canvas.setRootElement(root);
    selection.select(element as never);
    if (element !== root) centre(canvas, element);
  }

  private mark(elementId: string, problems: Problem[]): void {
    const severity = problems.some((problem) => problem.severity === 'error') ? 'error' : 'warning';
    const mark = Object.assign(document.createElement('button'), {
      type: 'button',
      className: `b-problem-badge b-problem-mark--${severity}`,
      textContent: '!',
      title: problems.map(({ message }) => message).join('\n'),
    });
    mark.addEventListener('click', () => this.reveal(elementId));
    this.diagram.overlays.add(elementId, OVERLAY, { position: { top: -12, left: -12 }, html: mark, scale: { min: 0.9, max: 1.2 } });
  }
}
