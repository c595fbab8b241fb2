import { CircleAlert, Info } from 'lucide-react';
import type { Finding } from '@/api/error';
import { Button } from '@/components/Button';
import { Help } from '@/document/fields/words';
import { editor as words } from '@/text/editor';

interface FindingListProps {
  findings: readonly Finding[];
  remarks?: readonly string[];
  onGo: (line: number, column: number, field: string) => void;
  /** Puts the word that was meant in place of the one that stands there. */
  onUse?: (finding: Finding) => void;
}

/** Findings with their places; one goes there. Errors come first. */
export function FindingList({ findings, remarks = [], onGo, onUse }: FindingListProps) {
  const sorted = [...findings].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
  return (
    <ul className="space-y-1">
      {sorted.map((finding, index) => (
        <li key={index} className="flex items-start gap-1.5 text-xs">
          {finding.severity === 'error' ? (
            <CircleAlert aria-label={words.error} className="mt-0.5 size-3.5 shrink-0 text-bad" />
          ) : (
            <Info aria-label={words.note} className="mt-0.5 size-3.5 shrink-0 text-accent" />
          )}
          <div className="min-w-0 [overflow-wrap:anywhere]">
            <button
              type="button"
              className="rounded-sm text-left hover:underline"
              onClick={() => onGo(finding.line, finding.column, finding.field)}
            >
              <span className="mr-1.5 font-mono text-faint">
                {finding.line}:{finding.column}
              </span>
              {finding.field && <span className="mr-1.5 font-mono text-muted">{finding.field}</span>}
              <Help text={finding.message} />
            </button>
            {(finding.allowed || finding.help) && (
              <p className="text-muted">
                <Help
                  text={[finding.allowed && words.allowed(finding.allowed), finding.help].filter(Boolean).join(' · ')}
                />
              </p>
            )}
            {finding.suggestion && onUse && (
              <Button size="sm" className="mt-0.5" onClick={() => onUse(finding)}>
                {words.use(finding.suggestion)}
              </Button>
            )}
          </div>
        </li>
      ))}
      {remarks.map((remark) => (
        <li key={remark} className="flex items-start gap-1.5 text-xs">
          <Info aria-label={words.note} className="mt-0.5 size-3.5 shrink-0 text-accent" />
          <span className="min-w-0 [overflow-wrap:anywhere]">
            <Help text={remark.replace(/^note: /, '')} />
          </span>
        </li>
      ))}
    </ul>
  );
}

const rank = (finding: Finding) => (finding.severity === 'error' ? 0 : 1);
