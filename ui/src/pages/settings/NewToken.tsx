import { type FormEvent, useId, useState } from 'react';
import type { Role } from '@/api/role';
import { type MadeToken, useCreateToken } from '@/api/tokens';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { TextField } from '@/components/Field';
import { Select } from '@/components/Select';
import { common } from '@/text/common';
import { settings as text } from '@/text/settings';
import { EXPIRIES, type Expiry, expiresAt } from './tokenState';

interface NewTokenProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onMade: (made: MadeToken) => void;
}

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Asks what a new token is for, and makes it. */
export function NewToken({ open, onOpenChange, onMade }: NewTokenProps) {
  const form = useId();
  const creating = useCreateToken();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [expiry, setExpiry] = useState<Expiry>('quarter');
  const [tried, setTried] = useState(false);
  const good = name.trim().length >= 1 && name.trim().length <= 100;
  const change = (isOpen: boolean) => {
    creating.reset();
    setTried(false);
    setName('');
    onOpenChange(isOpen);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!good) return;
    creating.mutate(
      { name: name.trim(), role, expires_at: expiresAt(expiry, Date.now()) },
      {
        onSuccess: (made) => {
          change(false);
          onMade(made);
        },
      },
    );
  };
  return (
    <Dialog
      open={open}
      onOpenChange={change}
      title={text.newToken}
      description={text.newTokenText}
      width="sm"
      actions={
        <>
          <Button onClick={() => change(false)}>{common.cancel}</Button>
          <Button type="submit" form={form} tone="primary" busy={creating.isPending}>
            {text.create}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="space-y-3">
        <TextField
          label={text.tokenName}
          value={name}
          onChange={setName}
          maxLength={100}
          hint={text.tokenNameHint}
          error={tried && !good ? text.tokenNameBad : undefined}
          autoFocus
        />
        <Select
          label={text.tokenRole}
          value={role}
          hint={text.roleHelp[role]}
          options={ROLES.map((value) => ({ value, label: text.roles[value] }))}
          onChange={setRole}
        />
        <Select
          label={text.expiry}
          value={expiry}
          options={(Object.keys(EXPIRIES) as Expiry[]).map((value) => ({ value, label: text.expiries[value] }))}
          onChange={setExpiry}
        />
        {creating.error && (
          <p role="alert" className="text-bad">
            {creating.error.message}
            {creating.error.hint && <span className="block text-muted">{creating.error.hint}</span>}
          </p>
        )}
      </form>
    </Dialog>
  );
}
