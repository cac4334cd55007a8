// The modeler island: opens a process, edits it, has the server check it, and deploys it as the next version.
import CloudModeler from 'camunda-bpmn-js/lib/camunda-cloud/Modeler';
import type CommandStack from 'diagram-js/lib/command/CommandStack';
import type Canvas from 'diagram-js/lib/core/Canvas';
import type ElementRegistry from 'diagram-js/lib/core/ElementRegistry';
import type EventBus from 'diagram-js/lib/core/EventBus';
import type Overlays from 'diagram-js/lib/features/overlays/Overlays';
import type Selection from 'diagram-js/lib/features/selection/Selection';
import { enableTouch } from './diagram/touch';
import { centre, showWhole } from './diagram/view';
import { emptyDiagram } from './modeler/empty_diagram';
import './modeler/modeler.css';
import { ProblemView, type Problem } from './modeler/problems';
import { chineseModule } from './modeler/words';
import { pageLanguage, startIslands } from './page';
import { fetchText, post, RequestError } from './requests';

interface Deployed {
  key: string | number;
  version: number;
  url?: string;
}

/** What a refusal may carry: the gate's problems, or an RFC 9457 problem detail. */
interface Refusal {
  problems?: Problem[];
  detail?: string;
  title?: string;
}

const WORDS = {
  en: {
    deployed: (version: number) => `Deployed as version ${version}.`,
    refused: 'The server refused',
    unreachable: 'The server cannot be reached. Nothing was changed.',
    newProcess: 'New process',
    newLane: 'Role',
  },
  zh: {
    deployed: (version: number) => `已部署为第 ${version} 版。`,
    refused: '服务器拒绝了请求',
    unreachable: '无法连接服务器，未作任何更改。',
    newProcess: '新流程',
    newLane: '角色',
  },
}[pageLanguage()];

function byId(id: string | undefined): HTMLElement | null {
  return id ? document.getElementById(id) : null;
}

function button(id: string | undefined): HTMLButtonElement | null {
  const found = byId(id);
  return found instanceof HTMLButtonElement ? found : null;
}

class ModelerIsland {
  private readonly modeler: CloudModeler;
  private readonly canvas: Canvas;
  private readonly commands: CommandStack;
  private readonly problems: ProblemView;
  private readonly buttons: Record<'check' | 'deploy' | 'download' | 'undo' | 'redo', HTMLButtonElement | null>;
  private unsaved = false;
  private busy = false;

  constructor(private readonly host: HTMLElement) {
    const { dataset } = host;
    const properties = byId(dataset['properties']);
    properties?.classList.add('b-modeler-properties');
    host.classList.add('b-modeler');
    this.modeler = new CloudModeler({
      container: host,
      // Coordinates stay as they are in the file, so that two versions can be compared.
      disableAdjustOrigin: true,
      additionalModules: pageLanguage() === 'zh' ? [chineseModule] : [],
      ...(properties ? { propertiesPanel: { parent: properties } } : {}),
    } as never);
    this.canvas = this.modeler.get<Canvas>('canvas');
    this.commands = this.modeler.get<CommandStack>('commandStack');
    this.problems = new ProblemView(byId(dataset['problems']), {
      canvas: this.canvas,
      elements: this.modeler.get<ElementRegistry>('elementRegistry'),
      overlays: this.modeler.get<Overlays>('overlays'),
      selection: this.modeler.get<Selection>('selection'),
    });
    this.buttons = {
      check: button(dataset['checkButton']),
      deploy: button(dataset['deployButton']),
      download: button(dataset['downloadButton']),
      undo: button(dataset['undoButton']),
      redo: button(dataset['redoButton']),
    };
  }

  async open(xml: string): Promise<void> {
    await this.modeler.importXML(xml);
    this.showBeginning();
    const canvasElement = this.host.querySelector<HTMLElement>('.djs-container');
    if (canvasElement) enableTouch(canvasElement, this.canvas);

    this.modeler.get<EventBus>('eventBus').on('commandStack.changed', () => {
      this.unsaved = true;
      this.refreshButtons();
    });
    window.addEventListener('beforeunload', (event) => {
      if (this.unsaved && this.host.isConnected) event.preventDefault();
    });
    this.buttons.undo?.addEventListener('click', () => this.commands.undo());
    this.buttons.redo?.addEventListener('click', () => this.commands.redo());
    this.buttons.download?.addEventListener('click', () => void this.download());
    this.buttons.check?.addEventListener('click', () => void this.ask(() => this.check()));
    this.buttons.deploy?.addEventListener('click', () => void this.ask(() => this.deploy()));
    this.refreshButtons();
  }

  /** All of it if it can be read, else where it starts. */
  private showBeginning(): void {
    const palette = this.host.querySelector<HTMLElement>('.djs-palette');
    if (showWhole(this.canvas, palette ? palette.offsetLeft + palette.offsetWidth : 0)) return;
    const start = this.modeler.get<ElementRegistry>('elementRegistry').find((element) => element['type'] === 'bpmn:StartEvent');
    if (start) centre(this.canvas, start);
  }

  /** For a new process: not saved from the start. */
  markUnsaved(): void {
    this.unsaved = true;
  }

  private async xml(): Promise<string> {
    const { xml } = await this.modeler.saveXML({ format: true });
    return xml ?? '';
  }

  private get resourceName(): string {
    return this.host.dataset['resourceName'] ?? 'process.bpmn';
  }

  private async check(): Promise<void> {
    const { lintUrl } = this.host.dataset;
    if (!lintUrl) throw new Error('data-lint-url is missing');
    const { problems } = await post<{ problems: Problem[] }>(lintUrl, await this.xml(), 'application/xml');
    this.problems.show(problems);
  }

  private async deploy(): Promise<void> {
    const { deployUrl } = this.host.dataset;
    if (!deployUrl) throw new Error('data-deploy-url is missing');
    const body = JSON.stringify({ xml: await this.xml(), resourceName: this.resourceName });
    const deployed = await post<Deployed>(deployUrl, body, 'application/json');
    this.unsaved = false;
    this.problems.clear();
    this.problems.say(WORDS.deployed(deployed.version));
    this.host.dispatchEvent(new CustomEvent('baton:deployed', { bubbles: true, detail: deployed }));
    if (this.host.hasAttribute('data-follow') && deployed.url) window.location.assign(deployed.url);
  }

  private async download(): Promise<void> {
    const file = new Blob([await this.xml()], { type: 'application/xml' });
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(file), download: this.resourceName });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  /** Runs one question to the server at a time, and says what became of it. */
  private async ask(question: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.refreshButtons();
    try {
      await question();
    } catch (error) {
      this.explain(error);
    } finally {
      this.busy = false;
      this.refreshButtons();
    }
  }

  private explain(error: unknown): void {
    if (!(error instanceof RequestError)) {
      console.error(error);
      this.problems.say(WORDS.unreachable);
      return;
    }
    const refusal = (error.body ?? {}) as Refusal;
    if (refusal.problems?.length) this.problems.show(refusal.problems);
    else this.problems.say(refusal.detail ?? refusal.title ?? `${WORDS.refused} (${error.status}).`);
  }

  private refreshButtons(): void {
    const enable = (target: HTMLButtonElement | null, enabled: boolean): void => {
      if (target) target.disabled = !enabled;
    };
    enable(this.buttons.undo, this.commands.canUndo());
    enable(this.buttons.redo, this.commands.canRedo());
    enable(this.buttons.download, true);
    enable(this.buttons.check, !this.busy);
    enable(this.buttons.deploy, !this.busy);
  }
}

async function start(host: HTMLElement): Promise<void> {
  const { xmlUrl, lanes, processId, processName } = host.dataset;
  const island = new ModelerIsland(host);
  if (xmlUrl) {
    await island.open(await fetchText(xmlUrl));
  } else {
    const names = (lanes ?? '').split(/[,，、]/).map((name) => name.trim());
    await island.open(
      emptyDiagram({
        id: processId ?? 'new-process',
        name: processName ?? WORDS.newProcess,
        lanes: names.filter(Boolean).length > 0 ? names.filter(Boolean) : [`${WORDS.newLane} 1`, `${WORDS.newLane} 2`],
      }),
    );
    island.markUnsaved();
  }
  host.classList.add('is-ready');
}

startIslands('[data-baton-modeler]', start);
