import { useQuery } from '@tanstack/react-query';
import { useTaskSchema } from '@/api/documents';
import { keys } from '@/api/keys';
import { presetText, usePresets } from '@/api/presets';
import { useTitle } from '@/app/title';
import { Loaded } from '@/components/States';
import { setIn } from '@/document/edit';
import { copyName } from '@/pages/editor/copyName';
import { presets as words } from '@/text/presets';
import { EMPTY_PRESET, presetDocument } from './document';
import { PresetEditor } from './PresetEditor';

/** A new preset, a copy of one, or one that is changed. */
export function PresetEditorPage({ edit, copy }: { edit?: string; copy?: string }) {
  const schema = useTaskSchema();
  const known = usePresets();
  const from = edit ?? copy;
  const title = edit ? words.editTitle(edit) : copy ? words.copyTitle(copy) : words.newTitle;
  useTitle(title);
  const stored = useQuery({
    queryKey: [...keys.preset(from ?? ''), 'text'],
    queryFn: ({ signal }) => presetText(from ?? '', signal),
    enabled: from !== undefined,
  });
  return (
    <Loaded of={schema}>
      {(root) => (
        <Loaded of={known}>
          {(list) => {
            if (from === undefined) {
              return <PresetEditor task={root} base={EMPTY_PRESET} scope="preset new" title={title} />;
            }
            const name = copyName(
              from,
              list.map((preset) => preset.name),
            );
            return (
              <Loaded of={stored}>
                {(raw) => {
                  const text = presetDocument(raw);
                  const base = edit ? text : setIn(text, ['name'], name);
                  const scope = edit ? `preset ${edit}` : `preset copy ${from}`;
                  return <PresetEditor task={root} base={base} scope={scope} title={title} edit={edit} />;
                }}
              </Loaded>
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}
