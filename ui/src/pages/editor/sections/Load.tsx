import { Panel } from '@/components/Card';
import { MoreAt } from '@/document/fields/AutoFields';
import { NumberAt } from '@/document/fields/ScalarFields';
import { editor as words } from '@/text/editor';
import { LevelList } from '../load/LevelList';

/** How hard and how long the model is asked. */
export function Load() {
  return (
    <>
      <Panel title={words.load.levels} note={words.load.levelsNote}>
        <LevelList />
      </Panel>
      <Panel title={words.load.window}>
        <div className="grid gap-3 sm:grid-cols-2">
          <NumberAt path={['load', 'duration_s']} placeholder={words.load.durationDefault} />
          <NumberAt path={['load', 'requests']} />
          <NumberAt path={['load', 'warmup_requests']} />
          <NumberAt path={['repeats']} />
        </div>
        <div className="mt-3">
          <MoreAt
            path={['load']}
            skip={['levels', 'duration_s', 'requests', 'warmup_requests']}
            title={words.load.more}
          />
        </div>
      </Panel>
    </>
  );
}
