// Evaluates expressions with feelin: reads a JSON list of {text, context, unary} from standard input and writes a list of
// {value} or {error}; everything that is not plain JSON is written as an object with its FEEL type.
import { evaluate, unaryTest, FeelDate, FeelTime, FeelDateTime, FeelDuration, isFunction, isRange } from 'feelin';

function plain(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && !Number.isFinite(value)) return { $type: 'number', text: String(value) };
  if (value instanceof FeelDate) return { $type: 'date', text: value.toString() };
  if (value instanceof FeelTime) return { $type: 'time', text: value.toString() };
  if (value instanceof FeelDateTime) return { $type: 'date and time', text: value.toString() };
  if (value instanceof FeelDuration) return { $type: 'duration', text: value.toString() };
  if (isRange(value)) {
    return {
      start: plain(value.start), end: plain(value.end),
      'start included': value['start included'], 'end included': value['end included'],
    };
  }
  if (typeof value === 'function' || isFunction(value)) return { $type: 'function' };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
  }
  return value;
}

let input = '';
for await (const chunk of process.stdin) input += chunk;
const results = JSON.parse(input).map(({ text, context, unary }) => {
  try {
    return { value: plain((unary ? unaryTest : evaluate)(text, context ?? {}).value) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}`.slice(0, 200) };
  }
});
process.stdout.write(JSON.stringify(results));
