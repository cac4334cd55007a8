// Dates with times mean the clock on the company's wall, wherever the browser stands; the viewer knows the browser's clock only.
import { companyZone } from '../page';

interface Component {
  type?: string;
  subtype?: string;
  key?: string;
  path?: string;
  isRepeating?: boolean;
  components?: Component[];
}

type Values = Record<string, unknown>;

/** An instant as ISO text with its zone; without one it is a wall's time already and stays as it is. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*(?:Z|[+-]\d{2}:\d{2})$/;

/** What the wall clock of a zone shows, as if it were UTC, in milliseconds; the browser's own zone without one. */
function wall(instant: number, zone: string | undefined): number {
  const shown = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(instant);
  return Date.parse(`${shown.replace(' ', 'T')}Z`);
}

/** The instant at which the wall clock of a zone shows this; near a change of the clocks the second look is the right one. */
function instantOf(shown: number, zone: string | undefined): number {
  const guess = shown - (wall(shown, zone) - shown);
  return guess - (wall(guess, zone) - shown);
}

function twoDigits(value: number): string {
  return String(Math.trunc(value)).padStart(2, '0');
}

function written(shown: number, instant: number, normalized: boolean): string {
  if (normalized) return `${new Date(instant).toISOString().slice(0, 16)}Z`;
  const minutes = Math.round((shown - instant) / 60_000);
  const away = Math.abs(minutes);
  return `${new Date(shown).toISOString().slice(0, 16)}${minutes < 0 ? '-' : '+'}${twoDigits(away / 60)}:${twoDigits(away % 60)}`;
}

function moved(text: unknown, from: string | undefined, to: string | undefined): unknown {
  if (typeof text !== 'string' || !INSTANT.test(text)) return text;
  const shown = wall(Date.parse(text), from);
  return written(shown, instantOf(shown, to), text.endsWith('Z'));
}

function convert(components: Component[], values: Values, change: (text: unknown) => unknown): Values {
  const result = { ...values };
  for (const { type, subtype, key, path, isRepeating, components: inner = [] } of components) {
    if (type === 'datetime' && subtype === 'datetime' && key && key in result) {
      result[key] = change(result[key]);
    } else if (!path) {
      if (inner.length > 0) Object.assign(result, convert(inner, result, change));
    } else {
      const below = result[path];
      if (isRepeating && Array.isArray(below)) result[path] = below.map((row: Values) => convert(inner, row, change));
      else if (below && typeof below === 'object') result[path] = convert(inner, below as Values, change);
    }
  }
  return result;
}

/** Values for the viewer: what the browser's clock shows is what the company's clock shows. */
export function toBrowser(schema: Values, values: Values): Values {
  const zone = companyZone();
  return zone ? convert((schema['components'] as Component[] | undefined) ?? [], values, (text) => moved(text, zone, undefined)) : values;
}

/** Values from the viewer: what was entered is the company's time. */
export function fromBrowser(schema: Values, values: Values): Values {
  const zone = companyZone();
  return zone ? convert((schema['components'] as Component[] | undefined) ?? [], values, (text) => moved(text, undefined, zone)) : values;
}
