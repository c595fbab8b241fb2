import { useMemo } from 'react';
import { CodeBlock } from '@/components/Copy';
import { YamlView } from '@/components/Tree';
import { chat } from '@/text/chat';
import { isRecord } from '../state/result';
import { type Line, Lines } from './Lines';

const LONG = 160;

/** Arguments in a readable form: short ones in lines, documents and long texts in blocks of their own. */
export function Arguments({ args }: { args: unknown }) {
  const { pairs, blocks } = useMemo(() => parted(args), [args]);
  if (!isRecord(args)) return <CodeBlock text={String(args)} label={chat.card.arguments} maxHeight="12rem" wrap />;
  return (
    <div className="space-y-2">
      {pairs.length > 0 && <Lines of={pairs} />}
      {blocks.map(([name, value]) => (
        <div key={name}>
          <div className="mb-1 text-muted">{name}</div>
          {typeof value === 'string' ? (
            <CodeBlock text={value} label={name} />
          ) : (
            <YamlView value={value} label={name} />
          )}
        </div>
      ))}
    </div>
  );
}

function parted(args: unknown): { pairs: Line[]; blocks: [name: string, value: unknown][] } {
  const pairs: Line[] = [];
  const blocks: [string, unknown][] = [];
  for (const [name, value] of Object.entries(isRecord(args) ? args : {})) {
    const line = inLine(value);
    if (line === null) blocks.push([name, value]);
    else pairs.push({ label: name, value: line, mono: true });
  }
  return { pairs, blocks };
}

/** A value in one line, if it fits into one. */
export function inLine(value: unknown): string | null {
  if (typeof value === 'string') return value.length > LONG || value.includes('\n') ? null : value || '""';
  if (value === null || typeof value !== 'object') return String(value);
  const simple = (one: unknown) => one === null || typeof one !== 'object';
  if (!Object.values(value).every(simple)) return null;
  const text = Array.isArray(value) ? value.join(', ') : JSON.stringify(value);
  return text.length > LONG ? null : text || '[]';
}

/** The same in one short line, for the head of a card: `task_id: chat, experiment_id: 3`. */
export function argumentsLine(args: unknown): string {
  if (!isRecord(args)) return '';
  const parts = Object.entries(args).map(([name, value]) => `${name}: ${inLine(value) ?? '…'}`);
  return parts.join(', ');
}
