import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useId, useState } from 'react';
import { useCloneTask } from '@/api/tasks';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { TextField } from '@/components/Field';
import { common } from '@/text/common';
import { tasks as words } from '@/text/tasks';

/** Asks for the name of a copy, makes it, and goes there. */
export function CloneDialog({ task, onClose }: { task: { id: string; name: string }; onClose: () => void }) {
  const navigate = useNavigate();
  const form = useId();
  const [name, setName] = useState(`${task.name}-copy`);
  const clone = useCloneTask();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    clone.mutate(
      { task: task.id, name: name.trim() || undefined },
      {
        onSuccess: (copy) => {
          onClose();
          void navigate({ to: '/tasks/$task', params: { task: copy.id } });
        },
      },
    );
  };
  const { error } = clone;
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={words.cloneTitle(task.name)}
      description={words.cloneText}
      width="sm"
      actions={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button tone="primary" type="submit" form={form} busy={clone.isPending}>
            {words.cloneAction}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit}>
        <TextField
          autoFocus
          mono
          label={words.cloneName}
          hint={words.cloneHint}
          error={error && (error.hint ? `${error.message}. ${error.hint}` : error.message)}
          value={name}
          onChange={setName}
        />
      </form>
    </Dialog>
  );
}
