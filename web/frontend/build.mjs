// Bundles the front end into web/static/dist, with a gzipped copy beside each file, and writes the manifest of content hashes last.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import * as sass from 'sass';

const sources = dirname(fileURLToPath(import.meta.url));
const root = join(sources, '..', '..');
const target = join(root, 'web', 'static', 'dist');

/** Compiles .scss files, so that only the needed parts of Tabler are taken. */
const sassPlugin = {
  name: 'sass',
  setup(build) {
    build.onLoad({ filter: /\.scss$/ }, ({ path }) => {
      const { css, loadedUrls } = sass.compile(path, {
        loadPaths: [join(root, 'node_modules')],
        quietDeps: true,
        logger: sass.Logger.silent,
      });
      return { contents: css, loader: 'css', watchFiles: loadedUrls.map((url) => fileURLToPath(url)) };
    });
  },
};

await mkdir(target, { recursive: true });

const { metafile } = await esbuild.build({
  entryPoints: [
    { in: join(sources, 'app.ts'), out: 'app' },
    { in: join(sources, 'app.css'), out: 'app' },
    { in: join(sources, 'form.ts'), out: 'form' },
    { in: join(sources, 'diagram.ts'), out: 'diagram' },
    { in: join(sources, 'modeler.ts'), out: 'modeler' },
  ],
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
  // Fonts travel inside the style sheet; the older formats of the same font are left out.
  loader: { '.woff2': 'dataurl', '.woff': 'empty', '.ttf': 'empty', '.eot': 'empty', '.svg': 'dataurl' },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [sassPlugin],
});

const built = Object.keys(metafile.outputs).map((path) => basename(path)).sort();
const hashes = {};
for (const name of built) {
  const content = await readFile(join(target, name));
  hashes[name] = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const packed = gzipSync(content, { level: 9 });
  await writeFile(join(target, `${name}.gz`), packed);
  console.log(`${name.padEnd(14)} ${kilobytes(content)} kB, ${kilobytes(packed)} kB gzipped`);
}
// What an earlier build left behind goes last, so that a server that is running meanwhile misses nothing.
const current = new Set(['manifest.json', ...built, ...built.map((name) => `${name}.gz`)]);
for (const name of await readdir(target)) {
  if (!current.has(name)) await rm(join(target, name));
}
await writeFile(join(target, 'manifest.json'), `${JSON.stringify(hashes, null, 2)}\n`);

function kilobytes(buffer) {
  return (buffer.length / 1000).toFixed(0).padStart(5);
}
