import { CircleCheck, CircleDashed } from 'lucide-react';
import { useSettings } from '@/api/system';
import type { Settings } from '@/api/types';
import { Badge } from '@/components/Badge';
import { Panel } from '@/components/Card';
import { KeyValues } from '@/components/KeyValues';
import { Loaded, Skeleton } from '@/components/States';
import { bytes, count, duration } from '@/format';
import { settings as text } from '@/text/settings';

/** The settings that the server reports, and how the others are set. */
export function Service() {
  const settings = useSettings();
  return (
    <Loaded of={settings} skeleton={<Skeleton lines={10} />}>
      {(found) => (
        <div className="grid items-start gap-4 lg:grid-cols-2">
          <div className="space-y-4">
            <Panel title={text.place}>
              <KeyValues
                pairs={[
                  { label: text.dataDir, value: found.data_dir, mono: true },
                  { label: text.hubCache, value: found.hub_cache, mono: true },
                  { label: text.visibleGpus, value: found.visible_gpus ?? text.visibleGpusAll },
                ]}
              />
            </Panel>
            <Panel title={text.proxies}>
              <KeyValues
                pairs={Object.entries(found.proxies).map(([name, value]) => ({
                  label: text.proxyNames[name] ?? name,
                  value: value ? String(value) : <span className="text-faint">{text.notSet}</span>,
                  mono: Boolean(value),
                }))}
              />
              <p className="mt-2 text-xs text-faint">{text.proxiesHelp}</p>
            </Panel>
            <Panel title={text.limits}>
              <KeyValues
                pairs={Object.entries(found.limits).map(([name, value]) => ({
                  label: text.limitNames[name] ?? name,
                  value: limit(name, value),
                }))}
              />
              <p className="mt-2 text-xs text-faint">{text.limitsHelp}</p>
            </Panel>
          </div>
          <Variables secrets={found.secrets} />
        </div>
      )}
    </Loaded>
  );
}

function limit(name: string, value: number): string {
  if (name.endsWith('_bytes')) return bytes(value);
  return name.endsWith('_s') ? duration(value) : count(value);
}

const SECRETS: readonly string[] = ['HF_TOKEN', 'GH_TOKEN', 'AGENT_API_KEY'];

function Variables({ secrets }: { secrets: Settings['secrets'] }) {
  const known = Object.entries(text.variables);
  const others = secrets.filter((name) => !(name in text.variables)).map((name) => [name, text.otherSecret] as const);
  return (
    <Panel title={text.services} flush>
      <table className="w-full">
        <thead>
          <tr className="border-b border-line text-left text-xs text-muted">
            <th scope="col" className="px-3 py-1.5 font-medium">
              {text.variable}
            </th>
            <th scope="col" className="px-3 py-1.5 font-medium">
              {text.value}
            </th>
          </tr>
        </thead>
        <tbody>
          {[...known, ...others].map(([name, what]) => (
            <tr key={name} className="border-b border-line/60 align-top">
              <td className="px-3 py-1.5">
                <code className="font-mono text-xs [overflow-wrap:anywhere]">{name}</code>
                <div className="text-xs text-muted">{what}</div>
              </td>
              <td className="w-28 px-3 py-1.5">
                <IsSet name={name} secrets={secrets} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="px-3 py-2 text-xs text-faint">{text.settingsHow}</p>
    </Panel>
  );
}

function IsSet({ name, secrets }: { name: string; secrets: readonly string[] }) {
  if (secrets.includes(name)) {
    return (
      <Badge tone="ok" icon={<CircleCheck aria-hidden className="size-3.5 shrink-0" />}>
        {text.isSet}
      </Badge>
    );
  }
  if (!SECRETS.includes(name)) return <span className="text-xs text-faint">{text.unsaid}</span>;
  return <Badge icon={<CircleDashed aria-hidden className="size-3.5 shrink-0" />}>{text.notSet}</Badge>;
}
