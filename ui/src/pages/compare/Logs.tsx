import { Link } from '@tanstack/react-router';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { useId, useState } from 'react';
import type { ExperimentDetail } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { cx } from '@/components/cx';
import { INPUT } from '@/components/Field';
import type { Find } from '@/components/LogView';
import { Empty } from '@/components/States';
import { Switch } from '@/components/Toggle';
import { roleWord } from '@/pages/experiment/Head';
import { LogTab } from '@/pages/experiment/LogTab';
import { compare as words } from '@/text/compare';
import { followed } from './followed';

interface LogsProps {
  task: string;
  shown: readonly ExperimentDetail[];
  isOpen: boolean;
  onOpen: (isOpen: true | undefined) => void;
}

/** The logs of experiments beside each other, searched as one. Nothing is read before they are opened. */
export function Logs({ task, shown, isOpen, onOpen }: LogsProps) {
  const id = useId();
  const Icon = isOpen ? ChevronDown : ChevronRight;
  return (
    <Panel
      title={words.logs}
      note={words.logsNote}
      flush
      actions={
        <Button
          size="sm"
          aria-expanded={isOpen}
          aria-controls={id}
          icon={<Icon aria-hidden className="size-3.5" />}
          onClick={() => onOpen(isOpen ? undefined : true)}
        >
          {isOpen ? words.hideLogs : words.showLogs}
        </Button>
      }
    >
      <div id={id} hidden={!isOpen}>
        {isOpen && <Columns task={task} shown={shown} />}
      </div>
    </Panel>
  );
}

function Columns({ task, shown }: Pick<LogsProps, 'task' | 'shown'>) {
  const [find, setFind] = useState<Find>({ word: '', only: false });
  const live = followed(shown);
  return (
    <div className="space-y-3 p-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <input
          type="search"
          aria-label={words.findInLogs}
          placeholder={words.findInLogs}
          className={cx(INPUT, 'h-8 w-64 flex-initial')}
          value={find.word}
          onChange={(event) => setFind({ ...find, word: event.target.value })}
          onKeyDown={(event) => event.key === 'Escape' && setFind({ ...find, word: '' })}
        />
        <Switch label={words.onlyMatches} checked={find.only} onChange={(only) => setFind({ ...find, only })} />
      </div>
      <div
        className={cx(
          'grid min-w-0 gap-3 *:min-w-0 lg:grid-cols-2',
          // Lines of an engine are long: more than three beside each other cannot be read.
          shown.length % 2 === 0 && shown.length < 6 ? '' : '2xl:grid-cols-3',
        )}
      >
        {shown.map((detail) => {
          const { number } = detail.experiment;
          return <Column key={number} task={task} detail={detail} find={find} isFollowed={live.has(number)} />;
        })}
      </div>
    </div>
  );
}

interface ColumnProps {
  task: string;
  detail: ExperimentDetail;
  find: Find;
  isFollowed: boolean;
}

function Column({ task, detail, find, isFollowed }: ColumnProps) {
  const { number, role, attempts } = detail.experiment;
  const [attempt, setAttempt] = useState<number>();
  return (
    <section aria-label={words.logOf(number)} className="space-y-2">
      <h3 className="flex flex-wrap items-baseline gap-2">
        <Link
          to="/tasks/$task/experiments/$number"
          params={{ task, number: String(number) }}
          search={{ tab: 'log' }}
          className="font-semibold text-accent hover:underline"
        >
          #{number}
        </Link>
        <span className="text-xs text-muted">{roleWord(role)}</span>
      </h3>
      {attempts.length === 0 ? (
        <Empty title={words.noLogs} text={words.noLogsHint} />
      ) : (
        <LogTab
          task={task}
          number={number}
          attempts={attempts}
          attempt={attempt}
          onAttempt={setAttempt}
          find={find}
          height="26rem"
          isFollowed={isFollowed}
        />
      )}
    </section>
  );
}
