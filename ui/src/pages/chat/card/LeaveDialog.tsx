import { useState } from 'react';
import type { Leave } from '@/api/chat';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { NumberField, TextField } from '@/components/Field';
import { Select } from '@/components/Select';
import { Checkbox } from '@/components/Toggle';
import { chat } from '@/text/chat';
import { common } from '@/text/common';

const words = chat.leave;
type Until = keyof typeof words.untils;
const HOURS: Partial<Record<Until, number>> = { hour: 1, day: 8, week: 168 };

/** A moment so many hours from now. */
export function inHours(hours: number): string {
  return new Date(Date.now() + hours * 3_600_000).toISOString();
}

interface LeaveDialogProps {
  scope: string;
  /** What the scope lets the agent do. */
  text: string;
  tool: string;
  task?: string;
  onGrant: (leave: Leave) => void;
  onClose: () => void;
}

/** Standing leave with limits. */
export function LeaveDialog({ scope, text, tool, task, onGrant, onClose }: LeaveDialogProps) {
  const [until, setUntil] = useState<Until>('hour');
  const [time, setTime] = useState('');
  const [onlyTool, setOnlyTool] = useState(false);
  const [onlyTask, setOnlyTask] = useState(task !== undefined);
  const [uses, setUses] = useState<number>();
  const [experiments, setExperiments] = useState<number>();
  const [gpuHours, setGpuHours] = useState<number>();
  const at = until === 'time' ? Date.parse(time) : Number.NaN;
  const past = until === 'time' && !(at > Date.now());
  const wrong = [uses, experiments, gpuHours].some((n) => n !== undefined && n <= 0);
  const whole = (n: number | undefined) => (n === undefined ? undefined : Math.ceil(n));
  const grant = () => {
    const hours = HOURS[until];
    const expiresAt = hours ? inHours(hours) : until === 'time' ? new Date(at).toISOString() : undefined;
    onGrant({
      scope,
      expiresAt,
      tool: onlyTool ? tool : undefined,
      task: onlyTask ? task : undefined,
      uses: whole(uses),
      experiments: whole(experiments),
      gpuSeconds: gpuHours === undefined ? undefined : gpuHours * 3600,
    });
  };
  const limit = (n: number | undefined) => (n !== undefined && n <= 0 ? words.positive : undefined);
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={words.title(scope)}
      description={words.lets(text)}
      width="sm"
      actions={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button tone="primary" disabled={past || wrong} onClick={grant}>
            {words.grant}
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <Select
          label={words.until}
          value={until}
          options={Object.entries(words.untils).map(([value, label]) => ({ value: value as Until, label }))}
          onChange={setUntil}
        />
        {until === 'time' && (
          <TextField
            label={words.time}
            type="datetime-local"
            value={time}
            onChange={setTime}
            error={time !== '' && past ? words.past : undefined}
          />
        )}
        <Checkbox label={words.onlyTool(tool)} checked={onlyTool} onChange={setOnlyTool} />
        {task !== undefined && <Checkbox label={words.onlyTask(task)} checked={onlyTask} onChange={setOnlyTask} />}
        <div className="grid items-end gap-3 sm:grid-cols-3">
          <NumberField label={words.uses} value={uses} onChange={setUses} error={limit(uses)} />
          <NumberField
            label={words.experiments}
            value={experiments}
            onChange={setExperiments}
            error={limit(experiments)}
          />
          <NumberField
            label={words.gpuHours}
            value={gpuHours}
            onChange={setGpuHours}
            unit="h"
            error={limit(gpuHours)}
          />
        </div>
        <p className="text-xs text-faint">{words.experimentsHint}</p>
      </div>
    </Dialog>
  );
}
