import type { JobItem } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { engines as text } from '@/text/engines';
import { installTarget, MORE_TARGETS } from './installs';
import { useInstall } from './useInstall';

/** What else a worker can install: a sample model, and load generators to check ours against. */
export function More({ mayInstall, jobs }: { mayInstall: boolean; jobs: readonly JobItem[] }) {
  const { install, busy } = useInstall();
  if (!mayInstall) return null;
  const isUnderWay = (target: string) =>
    jobs.some((job) => (job.status === 'queued' || job.status === 'running') && installTarget(job) === target);
  return (
    <Panel title={text.more} flush>
      <ul className="divide-y divide-line">
        {MORE_TARGETS.map((target) => {
          const [name, what] = text.targets[target] ?? [target, ''];
          return (
            <li key={target} className="flex items-center gap-3 px-3 py-1.5">
              <div className="min-w-0 flex-1">
                <span className="font-medium">{name}</span> <span className="text-muted">{what}</span>
              </div>
              <Button
                size="sm"
                busy={busy}
                disabled={isUnderWay(target)}
                aria-label={`${text.install} ${name}`}
                onClick={() => void install(target)}
              >
                {text.install}
              </Button>
            </li>
          );
        })}
      </ul>
      <p className="border-t border-line px-3 py-2 text-xs text-faint">{text.moreNote}</p>
    </Panel>
  );
}
