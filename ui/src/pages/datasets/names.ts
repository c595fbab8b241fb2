/** Names of data sets, as `crates/tuner-app/src/datasets/keep.rs` allows and makes them. */
const PACKED = ['.gz', '.zst', '.zip', '.tar', '.tgz'];

export function isName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name);
}

/** A name for a file: without endings of packers, other characters as dashes. */
export function nameOf(file: string): string {
  let name = file;
  for (let end = PACKED.find((one) => name.endsWith(one)); end; end = PACKED.find((one) => name.endsWith(one))) {
    name = name.slice(0, -end.length);
  }
  return name
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 100);
}
