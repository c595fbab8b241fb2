import { Plus } from 'lucide-react';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { Disclosure } from '@/components/Disclosure';
import { AutoFieldsAt } from '@/document/fields/AutoFields';
import { NumberAt } from '@/document/fields/ScalarFields';
import { useForm } from '@/document/form';
import { editor as words } from '@/text/editor';
import { ObjectiveList } from '../goals/ObjectiveList';
import { SloList } from '../goals/SloList';

/** What is wanted, and what must hold. */
export function Goals() {
  const form = useForm();
  const guard = form.at(['quality_guard']);
  return (
    <>
      <Panel title={words.goals.objectives} note={words.goals.objectivesNote}>
        <ObjectiveList />
      </Panel>
      <Panel title={words.goals.slos} note={words.goals.slosNote}>
        <SloList path={['slos']} />
      </Panel>
      <Panel title={words.goals.limits}>
        <div className="grid gap-3 sm:grid-cols-2">
          <NumberAt path={['max_error_rate']} />
        </div>
        <Disclosure className="mt-3" title={words.goals.guard} open={guard !== undefined && guard !== null}>
          <p className="mb-2 text-muted">{words.goals.guardHelp}</p>
          {guard === undefined || guard === null ? (
            <Button
              size="sm"
              icon={<Plus aria-hidden className="size-3.5" />}
              onClick={() => form.set(['quality_guard'], { command: ['./score.sh'], min: 0.8 })}
            >
              {words.goals.addGuard}
            </Button>
          ) : (
            <>
              <AutoFieldsAt path={['quality_guard']} />
              <Button size="sm" className="mt-2" onClick={() => form.remove(['quality_guard'])}>
                {words.goals.removeGuard}
              </Button>
            </>
          )}
        </Disclosure>
      </Panel>
    </>
  );
}
