import { Trash2 } from 'lucide-react';
import type { EngineParameter } from '@/api/engines';
import { IconButton } from '@/components/Button';
import { parameters as words } from '@/text/parameters';
import { ValueAt } from '../fields/ValueAt';
import { useForm } from '../form';
import { findParameter } from '../parameter';
import { isRecord, type Path } from '../path';
import { AddParameter } from './AddParameter';

/** Flags with one value each. */
export function FlagList({
  path,
  catalogue,
  engine,
}: {
  path: Path;
  catalogue: readonly EngineParameter[] | undefined;
  engine: string;
}) {
  const form = useForm();
  const value = form.at(path);
  const names = isRecord(value) ? Object.keys(value) : [];
  return (
    <div className="space-y-2">
      {names.map((name) => {
        const known = findParameter(catalogue, name);
        const choices = known?.kind === 'choice' ? known.values : known?.kind === 'switch' ? [true, false] : [];
        return (
          <div key={name} className="flex items-center gap-2">
            <span className="w-2/5 shrink-0 truncate font-mono text-xs" title={known?.help ?? name}>
              {name}
            </span>
            <ValueAt path={[...path, name]} label={words.valueOf(name)} hideLabel known={choices} className="flex-1" />
            <IconButton
              size="sm"
              label={words.remove(name)}
              icon={<Trash2 aria-hidden className="size-4" />}
              onClick={() => form.remove([...path, name])}
            />
          </div>
        );
      })}
      <AddParameter path={path} catalogue={catalogue} engine={engine} has={names} onAdd={() => {}} single />
    </div>
  );
}
