import { ChevronRight } from 'lucide-react';
import { useEffect, useState } from 'react';
import { CodeBlock } from './Copy';

type Json = unknown;

/** What a machine said, folded; `depth` levels are open at first. */
export function JsonTree({ value, label, depth = 1 }: { value: Json; label: string; depth?: number }) {
  return (
    <section aria-label={label} className="overflow-x-auto font-mono text-xs">
      <Node value={value} depth={depth} />
    </section>
  );
}

function isBranch(value: Json): value is object {
  return value !== null && typeof value === 'object' && Object.keys(value).length > 0;
}

function Node({ name, value, depth }: { name?: string; value: Json; depth: number }) {
  const [open, setOpen] = useState(depth > 0);
  if (!isBranch(value)) {
    return (
      <div className="flex gap-2 py-px pl-5">
        {name !== undefined && <span className="shrink-0 text-muted">{name}:</span>}
        <Leaf value={value} />
      </div>
    );
  }
  const entries = Object.entries(value);
  const size = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex items-center gap-1 rounded-sm py-px hover:bg-hover"
      >
        <ChevronRight aria-hidden className={`size-4 text-faint transition-transform ${open ? 'rotate-90' : ''}`} />
        {name !== undefined && <span className="text-muted">{name}</span>}
        <span className="text-faint">{size}</span>
      </button>
      {open && (
        <div className="ml-2 border-l border-line pl-1">
          {entries.map(([key, child]) => (
            <Node key={key} name={key} value={child} depth={depth - 1} />
          ))}
        </div>
      )}
    </div>
  );
}

function Leaf({ value }: { value: Json }) {
  if (typeof value === 'string')
    return <span className="whitespace-pre-wrap text-ink [overflow-wrap:anywhere]">{JSON.stringify(value)}</span>;
  if (typeof value === 'object' && value !== null)
    return <span className="text-faint">{Array.isArray(value) ? '[]' : '{}'}</span>;
  return <span className="text-accent">{String(value)}</span>;
}

/** The same as YAML, which is how people write it. */
export function YamlView({ value, label, maxHeight }: { value: Json; label: string; maxHeight?: string }) {
  const [text, setText] = useState('');
  useEffect(() => {
    let wanted = true;
    void import('yaml').then(({ stringify }) => wanted && setText(stringify(value, { lineWidth: 0 }).trimEnd()));
    return () => {
      wanted = false;
    };
  }, [value]);
  return <CodeBlock text={text} label={label} maxHeight={maxHeight} />;
}
