import { useMemo } from 'react';
import { type EngineParameter, useEngineParameters } from '@/api/engines';
import type { Schemas } from '@/api/types';
import { Badge } from '@/components/Badge';
import { Panel } from '@/components/Card';
import { type Column, DataTable } from '@/components/DataTable';
import { TextField } from '@/components/Field';
import { Select } from '@/components/Select';
import { Loaded } from '@/components/States';
import { Switch } from '@/components/Toggle';
import { useNarrow } from '@/components/useNarrow';
import { engines as text } from '@/text/engines';
import { filtered, rangeWords, typeWords } from './describe';
import { ParameterDrawer } from './ParameterDrawer';
import type { Search } from './search';

interface ParametersProps {
  engine: Schemas['EngineItem'];
  search: Search;
  onChange: (change: Partial<Search>) => void;
}

const none = <span className="text-faint">–</span>;

function columnsOf(narrow: boolean): Column<EngineParameter>[] {
  return [
    {
      id: 'name',
      label: text.name,
      width: 'minmax(11rem, 1fr)',
      sort: (one) => one.name,
      cell: (one) => (
        <span className="flex items-center gap-2" title={one.name}>
          <span className="min-w-0 truncate font-mono text-xs">{one.name}</span>
          {one.removed && (
            <Badge tone="warn" title={text.removed}>
              {text.removedShort}
            </Badge>
          )}
        </span>
      ),
    },
    { id: 'type', label: text.type, width: '7.5rem', sort: typeWords, cell: typeWords },
    {
      id: 'default',
      label: text.default,
      width: '8rem',
      hidden: narrow,
      sort: (one) => one.default,
      cell: (one) =>
        one.default === undefined ? (
          none
        ) : (
          <span className="font-mono text-xs" title={one.default}>
            {one.default}
          </span>
        ),
    },
    {
      id: 'range',
      label: text.range,
      help: text.rangeHelp,
      width: 'minmax(9rem, 1fr)',
      hidden: narrow,
      cell: (one) => {
        const words = rangeWords(one);
        return words ? <span title={words}>{words}</span> : none;
      },
    },
    {
      id: 'change',
      label: text.change,
      width: '8rem',
      hidden: narrow,
      sort: (one) => one.change ?? 'restart',
      cell: (one) => text.changeWords[one.change ?? 'restart'],
    },
    {
      id: 'help',
      label: text.help,
      width: 'minmax(14rem, 2fr)',
      hidden: narrow,
      cell: (one) => (
        <span className="text-muted" title={one.help}>
          {one.help}
        </span>
      ),
    },
    {
      id: 'group',
      label: text.group,
      width: '10rem',
      hidden: true,
      sort: (one) => one.group,
      cell: (one) => one.group,
    },
  ];
}

/** The catalogue of an engine, searched as one types. */
export function Parameters({ engine, search, onChange }: ParametersProps) {
  const parameters = useEngineParameters(engine.engine);
  const narrow = useNarrow();
  const name = text.names[engine.engine] ?? engine.engine;
  const { q, group, tunable } = search;
  const shown = useMemo(
    () => filtered(parameters.data ?? [], { q, group, tunable }),
    [parameters.data, q, group, tunable],
  );
  const groups = useMemo(() => [...new Set((parameters.data ?? []).map((one) => one.group))], [parameters.data]);
  const opened = parameters.data?.find((one) => one.name === search.open);
  return (
    <Panel title={text.of(name)} note={engine.catalogue_version} flush>
      <Loaded of={parameters}>
        {() => (
          <DataTable
            name="parameters"
            label={text.of(name)}
            rows={shown}
            columns={columnsOf(narrow)}
            rowKey={(one) => one.name}
            onOpen={(one) => onChange({ open: one.name })}
            rowHeight={28}
            empty={<p className="p-6 text-center text-faint">{text.noMatch}</p>}
            tools={
              <>
                <TextField
                  label={text.search}
                  hideLabel
                  type="search"
                  placeholder={text.search}
                  className="w-full sm:w-64"
                  value={q ?? ''}
                  onChange={(next) => onChange({ q: next || undefined })}
                />
                {groups.length > 1 && (
                  <Select
                    label={text.group}
                    hideLabel
                    className="w-full sm:w-56"
                    value={group ?? ''}
                    options={[
                      { value: '', label: text.allGroups },
                      ...groups.map((word) => ({ value: word, label: word })),
                    ]}
                    onChange={(next) => onChange({ group: next || undefined })}
                  />
                )}
                <Switch
                  label={text.tunableOnly}
                  checked={tunable ?? false}
                  onChange={(on) => onChange({ tunable: on || undefined })}
                />
              </>
            }
          />
        )}
      </Loaded>
      {opened && <ParameterDrawer parameter={opened} onClose={() => onChange({ open: undefined })} />}
    </Panel>
  );
}
