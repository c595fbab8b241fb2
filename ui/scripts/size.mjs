// What a browser loads before the first page is drawn, gzipped; fails above the limit.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 350;
const folder = process.env.AUTOTUNER_UI_DIST;
const dist = folder ? pathToFileURL(`${folder}/`) : new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
const files = new Set(['index.html', 'theme.js']);

/** A chunk with everything that it loads at once. */
function take(name) {
  const chunk = manifest[name];
  if (!chunk || files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const other of chunk.imports ?? []) take(other);
}

take('index.html');
take(Object.keys(manifest).find((name) => name.includes('pages/dashboard')));
let total = 0;
for (const file of files) {
  const size = gzipSync(readFileSync(new URL(file, dist))).length;
  total += size;
  process.stdout.write(`${(size / 1000).toFixed(1).padStart(8)} kB  ${file}\n`);
}
process.stdout.write(
  `${(total / 1000).toFixed(1).padStart(8)} kB  the first page, gzipped; the limit is ${LIMIT_KB} kB\n`,
);
if (total > LIMIT_KB * 1000) process.exit(1);
