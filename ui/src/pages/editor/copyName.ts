/** The next free `NAME-2`, as the server names copies. */
export function copyName(name: string, taken: readonly string[]): string {
  const stem = name.replace(/-\d+$/, '').slice(0, 95);
  for (let n = 2; ; n++) {
    const made = `${stem}-${n}`;
    if (!taken.includes(made)) return made;
  }
}
