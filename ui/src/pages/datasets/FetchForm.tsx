import { type FormEvent, useState } from 'react';
import { useFetchDataset } from '@/api/datasets';
import { Button } from '@/components/Button';
import { TextField } from '@/components/Field';
import { datasets as text } from '@/text/datasets';
import { isName } from './names';

const EMPTY = { url: '', name: '', sha256: '', member: '' };

/** Has the service fetch a data set from an address, as a job. */
export function FetchForm() {
  const [wanted, setWanted] = useState(EMPTY);
  const fetching = useFetchDataset();
  const set = (part: Partial<typeof EMPTY>) => {
    fetching.reset();
    setWanted({ ...wanted, ...part });
  };
  const { url, name, sha256, member } = wanted;
  const nameBad = name !== '' && !isName(name);
  const sumBad = sha256 !== '' && !/^[0-9a-f]{64}$/i.test(sha256.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!url.trim() || nameBad || sumBad) return;
    fetching.mutate(
      {
        url: url.trim(),
        name: name || undefined,
        sha256: sha256.trim().toLowerCase() || undefined,
        member: member || undefined,
      },
      { onSuccess: () => setWanted(EMPTY) },
    );
  };
  return (
    <form onSubmit={submit} className="space-y-3">
      <TextField
        label={text.url}
        type="url"
        placeholder="https://"
        value={url}
        onChange={(next) => set({ url: next })}
        hint={text.fetchHint}
      />
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label={text.fetchName}
          optional
          value={name}
          onChange={(next) => set({ name: next })}
          hint={text.fetchNameHint}
          error={nameBad ? text.nameBad : undefined}
          mono
        />
        <TextField
          label={text.member}
          optional
          value={member}
          onChange={(next) => set({ member: next })}
          hint={text.memberHint}
          mono
        />
      </div>
      <TextField
        label={text.sha256}
        optional
        value={sha256}
        onChange={(next) => set({ sha256: next })}
        hint={text.sha256Hint}
        error={sumBad ? text.sha256Bad : undefined}
        mono
      />
      {fetching.error && (
        <p role="alert" className="text-bad [overflow-wrap:anywhere]">
          {fetching.error.message}
          {fetching.error.hint && <span className="block text-muted">{fetching.error.hint}</span>}
        </p>
      )}
      <Button type="submit" tone="primary" busy={fetching.isPending} disabled={!url.trim() || nameBad || sumBad}>
        {text.fetchSubmit}
      </Button>
    </form>
  );
}
