import { Link } from '@tanstack/react-router';
import { useCheck, useHealth } from '@/api/system';
import type { Schemas } from '@/api/types';
import { Panel } from '@/components/Card';
import { Loaded } from '@/components/States';
import { StatusBadge } from '@/components/StatusBadge';
import { dashboard as text } from '@/text/dashboard';
import { findingsOf } from './findings';

/** What is ill and what to do; what is good in one line. */
export function Health() {
  const health = useHealth();
  const check = useCheck();
  return (
    <Panel title={text.health} flush>
      <Loaded of={health}>{({ checks }) => <Findings checks={[...checks, ...(check.data ?? [])]} />}</Loaded>
    </Panel>
  );
}

function Findings({ checks }: { checks: readonly Schemas['CheckBody'][] }) {
  const { ill, good, missing } = findingsOf(checks);
  return (
    <ul className="divide-y divide-line">
      {ill.map((one) => (
        <li key={`${one.name} ${one.detail}`} className="px-3 py-1.5">
          <div className="flex items-center gap-2">
            <StatusBadge state={one.status} />
            <span className="font-medium">{one.name}</span>
          </div>
          <p className="text-xs [overflow-wrap:anywhere]">{one.detail}</p>
          {one.hint && (
            <p className="text-xs text-muted [overflow-wrap:anywhere]">
              {text.hint} {one.hint}
            </p>
          )}
        </li>
      ))}
      {good > 0 && (
        <li className="flex items-center gap-2 px-3 py-1.5">
          <StatusBadge state="good" />
          <span className="text-muted">{text.healthGood(good)}</span>
        </li>
      )}
      {missing.length > 0 && (
        <li className="px-3 py-1.5 text-xs text-muted">
          {text.healthMissing(missing.join(', '))}{' '}
          <Link to="/engines" className="text-accent underline">
            {text.healthMissingHint}
          </Link>
        </li>
      )}
    </ul>
  );
}
