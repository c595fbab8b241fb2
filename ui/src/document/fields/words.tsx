import { Fragment, type ReactNode } from 'react';
import type { Finding } from '@/api/error';
import { fieldNames, units } from '@/text/fields';
import type { Path } from '../path';

/** `load.levels[].concurrency`: how a place is called in the list of names. */
function pattern(path: Path): string {
  return path.map((part) => (typeof part === 'number' ? '[]' : part)).join('.');
}

/** What people call a field: as our words say, else its key with spaces. */
export function labelOf(path: Path): string {
  const key = String(path.at(-1) ?? '');
  const named = fieldNames[pattern(path)] ?? fieldNames[key];
  if (named) return named;
  const words = key.replace(/_(s|ms|mib)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The unit that a key's end says. */
export function unitOf(path: Path): string | undefined {
  const end = /_(s|ms|mib)$/.exec(String(path.at(-1) ?? ''))?.[1];
  return end ? units[end] : undefined;
}

/** Words with `code` in them. */
export function Help({ text }: { text: string | undefined }) {
  if (!text) return null;
  const parts = text.replaceAll('\n\n', ' ').replaceAll('\n', ' ').split('`');
  return (
    <>
      {parts.map((part, index) =>
        index % 2 === 0 ? (
          <Fragment key={index}>{part}</Fragment>
        ) : (
          <code key={index} className="rounded-sm bg-sunken px-1 font-mono text-[0.92em]">
            {part}
          </code>
        ),
      )}
    </>
  );
}

/** A finding beside its field. */
export function FindingText({ finding }: { finding: Finding }): ReactNode {
  const more = [finding.suggestion && `→ \`${finding.suggestion}\``, finding.allowed, finding.help].filter(Boolean);
  return (
    <>
      <Help text={finding.message} />
      {more.length > 0 && (
        <>
          {' · '}
          <Help text={more.join(' · ')} />
        </>
      )}
    </>
  );
}
