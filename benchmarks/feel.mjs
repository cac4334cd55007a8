// The same expressions through feelin: prints the median microseconds of evaluating each as JSON.
import { evaluate } from 'feelin';

let input = '';
for await (const chunk of process.stdin) input += chunk;
const { cases, repetitions } = JSON.parse(input);

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const results = cases.map(({ text, context }) => {
  const times = [];
  for (let round = 0; round < repetitions; round++) {
    const start = process.hrtime.bigint();
    evaluate(text, context);
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  return median(times);
});
process.stdout.write(JSON.stringify(results));
