// Shows the server's sentences at the fields they speak of.
import type { Form } from '@bpmn-io/form-js-viewer';

/** Sentences by component key, or by path for a field inside a dynamic list (`parts[0].price`). */
export type ServerErrors = Record<string, string[]>;

interface FieldInstance {
  id: string;
  valuePath: (string | number)[];
  indexes?: Record<string, number>;
}

type NestedErrors = { [key: string]: string[] | NestedErrors };

/** The viewer's state, which it offers no public way to write; pinned by the lock file and covered by a browser test. */
interface FormInternals {
  _setState(state: { errors: NestedErrors }): void;
}

function pathText(path: (string | number)[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** Marks the fields, and answers the sentences that belong to no field that is shown. */
export function showServerErrors(form: Form, errors: ServerErrors): string[] {
  const instances = form.get<{ getAllKeyed(): FieldInstance[] }>('formFieldInstanceRegistry').getAllKeyed();
  const marked: NestedErrors = {};
  const homeless: string[] = [];
  for (const [key, sentences] of Object.entries(errors)) {
    const matching = instances.filter(({ valuePath }) => pathText(valuePath) === key || (valuePath.length > 1 && valuePath.at(-1) === key));
    if (matching.length === 0) homeless.push(...sentences);
    for (const { id, indexes } of matching) {
      const path = [id, ...Object.values(indexes ?? {}).map(String)];
      let level = marked;
      for (const part of path.slice(0, -1)) level = (level[part] ??= {}) as NestedErrors;
      level[path.at(-1) as string] = sentences;
    }
  }
  (form as unknown as FormInternals)._setState({ errors: marked });
  return homeless;
}
