import { useState } from 'react';
import { Panel } from '@/components/Card';
import { Combobox } from '@/components/Combobox';
import { NumberField, TextArea, TextField } from '@/components/Field';
import { Select } from '@/components/Select';
import { Checkbox, Switch } from '@/components/Toggle';

const FLAGS = [
  'max-num-seqs',
  'max-num-batched-tokens',
  'gpu-memory-utilization',
  'kv-cache-dtype',
  'enable-prefix-caching',
];

export function Forms() {
  const [name, setName] = useState('support-chat');
  const [count, setCount] = useState<number | undefined>(20);
  const [engine, setEngine] = useState('vllm');
  const [flag, setFlag] = useState('');
  const [on, setOn] = useState(true);
  const [some, setSome] = useState<boolean | 'indeterminate'>('indeterminate');
  return (
    <Panel title="Forms">
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
        <TextField label="Name" value={name} onChange={setName} hint="Letters, digits, dashes." />
        <TextField label="Model" value="" onChange={() => {}} error="A model is needed" mono />
        <NumberField label="Experiments" value={count} onChange={setCount} min={1} max={100} unit="runs" optional />
        <Select
          label="Engine"
          value={engine}
          onChange={setEngine}
          options={[
            { value: 'vllm', label: 'vLLM' },
            { value: 'sglang', label: 'SGLang' },
          ]}
        />
        <Combobox
          label="Flag"
          value={flag}
          onChange={setFlag}
          options={FLAGS.map((value) => ({ value, label: value, note: 'int' }))}
          placeholder="Type to find"
        />
        <TextArea label="Notes" value="" onChange={() => {}} rows={2} />
        <Switch label="Follow" hint="Stays at the end" checked={on} onChange={setOn} />
        <Checkbox label="All levels" checked={some} onChange={setSome} />
        <Checkbox label="Off and disabled" checked={false} disabled onChange={() => {}} />
      </div>
    </Panel>
  );
}
