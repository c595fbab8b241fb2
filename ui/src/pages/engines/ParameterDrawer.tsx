import type { EngineParameter } from '@/api/engines';
import { CopyButton } from '@/components/Copy';
import { Drawer } from '@/components/Dialog';
import { KeyValues } from '@/components/KeyValues';
import { engines as text } from '@/text/engines';
import { specWords, typeWords } from './describe';

/** Everything that is known of one parameter. */
export function ParameterDrawer({ parameter, onClose }: { parameter: EngineParameter; onClose: () => void }) {
  const negatives =
    parameter.kind === 'switch' && parameter.form === 'paired'
      ? [parameter.off ?? '', ...(parameter.off_aliases ?? [])].filter(Boolean)
      : [];
  const dashed = (names: string[]) => names.map((name) => (name.length === 1 ? `-${name}` : `--${name}`)).join(', ');
  return (
    <Drawer open onOpenChange={(open) => open || onClose()} title={`--${parameter.name}`} description={parameter.help}>
      <KeyValues
        pairs={[
          {
            label: text.name,
            mono: true,
            value: (
              <span className="flex items-center gap-1">
                {parameter.name}
                <CopyButton text={parameter.name} />
              </span>
            ),
          },
          Boolean(parameter.aliases?.length) && {
            label: text.aliases,
            value: dashed(parameter.aliases ?? []),
            mono: true,
          },
          { label: text.type, value: typeWords(parameter) },
          parameter.kind === 'choice' && { label: text.choices, value: parameter.values.join(', '), mono: true },
          parameter.kind === 'int' && parameter.words?.length
            ? { label: text.choices, value: text.words(parameter.words.join(', ')) }
            : null,
          parameter.kind === 'int' && parameter.suffix ? { label: text.range, value: text.suffix } : null,
          negatives.length > 0 && { label: text.negative, value: dashed(negatives), mono: true },
          { label: text.default, value: parameter.default ?? <span className="text-faint">{text.unset}</span> },
          parameter.tunable !== undefined && { label: text.worthTrying, value: specWords(parameter.tunable) },
          { label: text.change, value: text.changes[parameter.change ?? 'restart'] },
          Boolean(parameter.conflicts?.length) && {
            label: text.conflicts,
            value: dashed(parameter.conflicts ?? []),
            mono: true,
          },
          parameter.since !== undefined && { label: text.since, value: parameter.since },
          parameter.removed === true && { label: text.removedShort, value: text.removed },
          { label: text.group, value: parameter.group },
        ]}
      />
    </Drawer>
  );
}
