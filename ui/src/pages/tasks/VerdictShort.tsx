import { CircleDashed, Equal, TrendingDown, TrendingUp } from 'lucide-react';
import type { Decision, TaskItem, Verdict } from '@/api/types';
import { changeEstimate, changeInterval, percent } from '@/format';
import { tasks as words } from '@/text/tasks';

const LOOKS: Record<Decision, [icon: typeof Equal, colour: string]> = {
  better: [TrendingUp, 'text-ok'],
  no_significant_difference: [Equal, 'text-muted'],
  worse: [TrendingDown, 'text-bad'],
  not_verified: [CircleDashed, 'text-warn'],
};

/** What a task found, in a few words, or why it found nothing. */
export function VerdictShort({ task }: { task: Pick<TaskItem, 'verdict' | 'failure' | 'status'> }) {
  const { verdict, failure } = task;
  if (verdict) return <Found verdict={verdict} />;
  if (failure) {
    return (
      <span title={failure} className="block truncate text-bad">
        {failure}
      </span>
    );
  }
  return <span className="text-faint">{task.status === 'completed' ? words.noResult : '–'}</span>;
}

function Found({ verdict }: { verdict: Verdict }) {
  const { decision, improvement, confidence, reason } = verdict;
  const [Icon, colour] = LOOKS[decision];
  const range = improvement && words.confidenceRange(changeInterval(improvement), percent(confidence));
  return (
    <span title={range ? `${reason} (${range})` : reason} className="flex min-w-0 items-center gap-1.5">
      <Icon aria-hidden className={`size-3.5 shrink-0 ${colour}`} />
      {improvement && decision !== 'no_significant_difference' ? (
        <>
          <span className="whitespace-nowrap font-medium">{changeEstimate(improvement)}</span>
          <span className="truncate text-xs text-faint">{changeInterval(improvement)}</span>
        </>
      ) : (
        <span className="truncate">{words.verdicts[decision]}</span>
      )}
    </span>
  );
}
