// Shows the server's sentences at the fields they speak of, for as long as the values stay as they were refused.
import type { Form } from '@bpmn-io/form-js-viewer';

/** Sentences by component key, or by path for a field inside a dynamic list (`parts[0].price`). */
export type ServerErrors = Record<string, string[]>;

interface FieldInstance {
  valuePath: (string | number)[];
}

interface Validator {
  validateFieldInstance(instance: FieldInstance, value: unknown): string[];
}

function pathText(path: (string | number)[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

export class ServerRefusal {
  private readonly refusedValues = new Map<string, string>();

  constructor(
    private readonly form: Form,
    private errors: ServerErrors,
  ) {
    const validator = form.get<Validator>('validator');
    const validate = validator.validateFieldInstance.bind(validator);
    validator.validateFieldInstance = (instance, value) => [...validate(instance, value), ...this.sentencesFor(instance, value)];
  }

  /** Marks the fields, which must have been drawn, and answers the sentences that belong to none of them. */
  show(): string[] {
    const instances = this.form.get<{ getAllKeyed(): FieldInstance[] }>('formFieldInstanceRegistry').getAllKeyed();
    this.form.validate();
    return Object.entries(this.errors)
      .filter(([key]) => !instances.some(({ valuePath }) => this.isMeant(key, valuePath)))
      .flatMap(([, sentences]) => sentences);
  }

  /** Lets the same values be sent again: what was wrong may have depended on another field. */
  forget(): void {
    this.errors = {};
  }

  private isMeant(key: string, path: FieldInstance['valuePath']): boolean {
    return pathText(path) === key || (path.length > 1 && path.at(-1) === key);
  }

  private sentencesFor({ valuePath }: FieldInstance, value: unknown): string[] {
    const sentences = Object.entries(this.errors)
      .filter(([key]) => this.isMeant(key, valuePath))
      .flatMap(([, found]) => found);
    if (sentences.length === 0) return [];
    const path = pathText(valuePath);
    const current = JSON.stringify(value) ?? '';
    const refused = this.refusedValues.get(path) ?? current;
    this.refusedValues.set(path, refused);
    return current === refused ? sentences : [];
  }
}
