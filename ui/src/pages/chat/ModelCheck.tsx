import { CircleCheck, CircleDashed, CircleX, PlugZap, TriangleAlert } from 'lucide-react';
import { type AgentCheck, useAgentCheck } from '@/api/agent';
import { Button } from '@/components/Button';
import { ErrorView } from '@/components/States';
import { count } from '@/format';
import { chat } from '@/text/chat';

const words = chat.check;
const ICONS = {
  good: <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />,
  fair: <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />,
  bad: <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />,
  untried: <CircleDashed aria-hidden className="mt-0.5 size-4 shrink-0 text-faint" />,
};

/** Tries the way to the model, step by step; takes some seconds. */
export function ModelCheck({ onContext }: { onContext?: (tokens: number | null) => void }) {
  const check = useAgentCheck();
  return (
    <div className="space-y-2">
      <Button
        size="sm"
        busy={check.isPending}
        icon={<PlugZap aria-hidden className="size-3.5" />}
        onClick={() => check.mutate(null, { onSuccess: ({ context_tokens }) => onContext?.(context_tokens) })}
      >
        {check.isPending ? words.busy : words.button}
      </Button>
      {check.error && <ErrorView error={check.error} />}
      {check.data && <Findings check={check.data} />}
    </div>
  );
}

function Findings({ check }: { check: AgentCheck }) {
  const usable = check.findings.every(({ verdict }) => verdict === 'good' || verdict === 'fair');
  return (
    <div role="status" className="space-y-1">
      <p className={`font-medium ${usable ? 'text-ok' : 'text-bad'}`}>{usable ? words.usable : words.unusable}</p>
      <ul className="space-y-1">
        {check.findings.map(({ step, verdict, says, to_do }) => (
          <li key={step} className="flex gap-2 [overflow-wrap:anywhere]">
            {ICONS[verdict]}
            <span className="min-w-0">
              <span className="font-medium">{words.steps[step] ?? step}</span>{' '}
              <span className="text-muted">{words.verdicts[verdict]}: </span>
              {says}
              {to_do && <span className="block text-muted">{to_do}</span>}
            </span>
          </li>
        ))}
      </ul>
      {check.context_tokens !== null && (
        <p className="text-muted">
          {words.window}: {words.tokens(count(check.context_tokens))}
        </p>
      )}
    </div>
  );
}
