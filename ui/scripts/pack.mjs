// Puts a packed twin beside each file of the page; the service gives it to browsers that take gzip.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const PACKED = /\.(html|js|css|svg|json)$/;
/** Smaller ones gain nothing. */
const LEAST_BYTES = 1024;

for (const name of readdirSync(dist, { recursive: true })) {
  if (!PACKED.test(name) || name.startsWith('.')) continue;
  const content = readFileSync(new URL(name, dist));
  if (content.length >= LEAST_BYTES) writeFileSync(new URL(`${name}.gz`, dist), gzipSync(content, { level: 9 }));
}
