import { useState } from 'react';
import { Button } from '@/components/Button';
import { cx } from '@/components/cx';
import { TextField } from '@/components/Field';
import { chat } from '@/text/chat';
import type { Decide } from './useDecide';

const words = chat.decide;

/** Refuses, with a reason that the model is told. */
export function DenyPanel({ decide }: { decide: Decide }) {
  const [reason, setReason] = useState('');
  const busy = decide.deciding !== null;
  return (
    <div className="space-y-2 rounded-md border border-line bg-page p-2">
      <fieldset>
        <legend className="mb-1 text-muted">{words.reason}</legend>
        <div className="flex flex-wrap gap-1">
          {words.reasons.map((pick) => (
            <Button
              key={pick}
              size="sm"
              tone="plain"
              aria-pressed={reason === pick}
              className={cx(reason === pick && 'border-accent bg-accent-soft text-accent')}
              onClick={() => setReason(reason === pick ? '' : pick)}
            >
              {pick}
            </Button>
          ))}
        </div>
      </fieldset>
      <TextField
        label={words.ownReason}
        hideLabel
        placeholder={words.ownReason}
        maxLength={1000}
        value={reason}
        onChange={setReason}
      />
      <div className="flex flex-wrap gap-1.5">
        <Button
          size="sm"
          tone="danger"
          busy={decide.deciding === 'deny'}
          disabled={busy}
          onClick={() => void decide.deny(reason.trim(), false)}
        >
          {decide.deciding === 'deny' ? words.denying : words.denyNow}
        </Button>
        <Button
          size="sm"
          tone="danger"
          busy={decide.deciding === 'stop'}
          disabled={busy}
          onClick={() => void decide.deny(reason.trim(), true)}
        >
          {decide.deciding === 'stop' ? words.denying : words.denyStop}
        </Button>
      </div>
    </div>
  );
}
