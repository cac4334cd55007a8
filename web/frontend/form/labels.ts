// Translates what people read in a form's schema, and leaves keys, conditions and values alone.

const READ_BY_PEOPLE = new Set([
  'label',
  'description',
  'text',
  'placeholder',
  'prefixAdorner',
  'suffixAdorner',
  'dateLabel',
  'timeLabel',
  'patternErrorMessage',
  'title',
  'alt',
]);

export type Labels = Record<string, string>;

/** A copy of the schema in which every text that has a translation is translated. */
export function translateSchema<T>(schema: T, labels: Labels): T {
  if (Array.isArray(schema)) return schema.map((item: unknown) => translateSchema(item, labels)) as T;
  if (schema === null || typeof schema !== 'object') return schema;
  const translated = Object.entries(schema).map(([name, value]): [string, unknown] => [
    name,
    READ_BY_PEOPLE.has(name) && typeof value === 'string' ? (labels[value] ?? value) : translateSchema(value as unknown, labels),
  ]);
  return Object.fromEntries(translated) as T;
}
