import { Link } from '@tanstack/react-router';
import { useDatasets } from '@/api/datasets';
import { Combobox } from '@/components/Combobox';
import { MoreAt } from '@/document/fields/AutoFields';
import { FindingText } from '@/document/fields/words';
import { useForm } from '@/document/form';
import type { Path } from '@/document/path';
import { count } from '@/format';
import { editor as words } from '@/text/editor';

/** A data set that is kept, a file or an address, and which of its rows. `path` is what has `dataset` or `prompts_file`. */
export function DatasetAt({ path }: { path: Path }) {
  const form = useForm();
  const datasets = useDatasets();
  const short = form.at([...path, 'prompts_file']);
  const isShort = short !== undefined && form.at([...path, 'dataset']) === undefined;
  const place = isShort ? [...path, 'prompts_file'] : [...path, 'dataset', 'source'];
  const value = form.at(place);
  const finding = form.error(place) ?? form.error([...path, 'dataset']);
  const options = (datasets.data ?? []).map((one) => ({
    value: one.name,
    label: one.name,
    note: words.workload.rows(count(one.rows), one.format),
  }));
  return (
    <div className="space-y-3">
      <Combobox
        label={words.workload.dataset}
        value={typeof value === 'string' ? value : ''}
        options={options}
        free
        placeholder={words.workload.datasetHint}
        hint={
          <>
            {words.workload.datasetHelp}{' '}
            <Link to="/datasets" className="text-accent underline">
              {words.workload.toDatasets}
            </Link>
          </>
        }
        error={finding && <FindingText finding={finding} />}
        onChange={(next) => form.set(place, next)}
      />
      {!isShort && <MoreAt path={[...path, 'dataset']} skip={['source']} title={words.workload.whichRows} />}
    </div>
  );
}
