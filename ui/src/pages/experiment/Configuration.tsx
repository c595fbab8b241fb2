import { ArrowRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { Configuration, FlagValue } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { CopyButton } from '@/components/Copy';
import { configurationLine, flagValue } from '@/format';
import { experiment as words } from '@/text/experiment';
import { parameterRows } from './parameterRows';

function Value({ value }: { value: FlagValue | undefined }) {
  if (value === undefined) return <span className="text-faint">{words.engineDefault}</span>;
  return <span className="font-mono text-xs">{flagValue(value)}</span>;
}

interface ConfigurationPanelProps {
  here: Configuration;
  /** Undefined for the baseline itself. */
  baseline: Configuration | undefined;
}

/** What is tried, as its difference to the baseline; all of it on demand. */
export function ConfigurationPanel({ here, baseline }: ConfigurationPanelProps) {
  const [full, setFull] = useState(false);
  const rows = useMemo(() => parameterRows(here, baseline ?? here), [here, baseline]);
  const different = rows.filter((row) => row.differs);
  const isBaseline = baseline === undefined;
  const shown = full || isBaseline ? rows : different;
  return (
    <Panel
      title={words.configuration}
      note={isBaseline ? undefined : words.differs(different.length)}
      actions={
        <>
          <CopyButton text={configurationLine(here)} />
          {!isBaseline && rows.length > different.length && (
            <Button size="sm" tone="quiet" aria-pressed={full} onClick={() => setFull(!full)}>
              {full ? words.onlyDifferent : words.full}
            </Button>
          )}
        </>
      }
      flush
    >
      {isBaseline && <p className="px-3 pt-2 text-muted">{words.isBaseline}</p>}
      {!isBaseline && different.length === 0 && <p className="px-3 pt-2 text-muted">{words.noDifference}</p>}
      <ul className="max-h-80 overflow-y-auto px-3 py-1" tabIndex={0} aria-label={words.configuration}>
        {shown.map((row) => (
          <li
            key={row.name}
            className="flex flex-wrap items-baseline gap-x-3 border-b border-line/60 py-1 last:border-0"
          >
            <span className="min-w-0 flex-1 font-mono text-xs [overflow-wrap:anywhere]">{row.name}</span>
            <span className="flex items-baseline gap-1.5">
              {row.differs && (
                <>
                  <Value value={row.baseline} />
                  <ArrowRight aria-hidden className="size-3 self-center text-faint" />
                </>
              )}
              <span className={row.differs ? 'font-semibold' : ''}>
                <Value value={row.here} />
              </span>
            </span>
          </li>
        ))}
        {shown.length === 0 && isBaseline && <li className="py-1 text-faint">{words.engineDefault}</li>}
      </ul>
    </Panel>
  );
}
