// Reads BPMN files with the modeler's own reader and writer, and prints each file as it would be saved, as JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BpmnModdle } from 'bpmn-moddle';

const zeebe = createRequire(import.meta.url)('zeebe-bpmn-moddle/resources/zeebe.json');

const saved = [];
for (const path of process.argv.slice(2)) {
  const moddle = new BpmnModdle({ zeebe });
  const { rootElement, warnings } = await moddle.fromXML(readFileSync(path, 'utf8'));
  const { xml } = await moddle.toXML(rootElement, { format: true });
  saved.push({ warnings: warnings.map((warning) => warning.message), xml });
}
process.stdout.write(JSON.stringify(saved));
