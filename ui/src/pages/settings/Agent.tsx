import { CircleCheck, CircleDashed, CircleMinus, CircleX, PlugZap } from 'lucide-react';
import { useState } from 'react';
import { type AgentCheck, useAgentCheck, useAgentStatus } from '@/api/agent';
import { useMay } from '@/api/role';
import { Badge, type BadgeTone } from '@/components/Badge';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { KeyValues } from '@/components/KeyValues';
import { ErrorView, Loaded } from '@/components/States';
import { count } from '@/format';
import { settings as text } from '@/text/settings';
import { AgentForm } from './AgentForm';

type Verdict = AgentCheck['findings'][number]['verdict'];
const LOOKS: Record<Verdict, [BadgeTone, typeof CircleX]> = {
  good: ['ok', CircleCheck],
  fair: ['warn', CircleMinus],
  bad: ['bad', CircleX],
  untried: ['neutral', CircleDashed],
};

/** Whether the agent can be talked with, which model it has, and what else can be set. */
export function Agent() {
  const status = useAgentStatus();
  const may = useMay('admin');
  const [saves, setSaves] = useState(0);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <div className="space-y-4">
        <Panel title={text.agent}>
          <Loaded of={status}>
            {(found) => (
              <>
                <KeyValues
                  pairs={[
                    {
                      label: text.state,
                      value: (
                        <Badge
                          tone={found.available ? 'ok' : 'warn'}
                          icon={
                            found.available ? (
                              <CircleCheck aria-hidden className="size-3.5 shrink-0" />
                            ) : (
                              <CircleDashed aria-hidden className="size-3.5 shrink-0" />
                            )
                          }
                        >
                          {found.available ? text.agentReady : text.agentMissing}
                        </Badge>
                      ),
                    },
                    { label: text.provider, value: found.provider },
                    { label: text.model, value: found.model },
                    found.missing_config.length > 0 && {
                      label: text.missing,
                      value: found.missing_config.join(', '),
                      mono: true,
                    },
                  ]}
                />
                {!found.available && <p className="mt-2 text-muted">{found.message}</p>}
              </>
            )}
          </Loaded>
        </Panel>
        {may && <AgentForm onSaved={() => setSaves((n) => n + 1)} />}
        {/* What was found of one model says nothing about the next. */}
        <Test key={saves} available={status.data?.available ?? false} />
      </div>
      <AgentVariables />
    </div>
  );
}

function Test({ available }: { available: boolean }) {
  const check = useAgentCheck();
  const may = useMay('operator');
  const { data } = check;
  return (
    <Panel
      title={text.test}
      actions={
        may && (
          <Button
            size="sm"
            busy={check.isPending}
            disabled={!available}
            icon={<PlugZap aria-hidden className="size-3.5" />}
            onClick={() => check.mutate(null)}
          >
            {text.test}
          </Button>
        )
      }
    >
      <div role="status" className="space-y-3">
        {!data && !check.error && <p className="text-muted">{may ? text.testText : text.testNeeds}</p>}
        {check.error && <ErrorView error={check.error} />}
        {data && (
          <>
            <ol className="space-y-2">
              {data.findings.map(({ step, verdict, says, to_do }) => {
                const [tone, Icon] = LOOKS[verdict];
                return (
                  <li key={step} className="grid grid-cols-[7rem_1fr] gap-2">
                    <div>
                      <Badge tone={tone} icon={<Icon aria-hidden className="size-3.5 shrink-0" />}>
                        {text.verdicts[verdict]}
                      </Badge>
                    </div>
                    <div className="min-w-0 [overflow-wrap:anywhere]">
                      <span className="font-medium">{text.steps[step] ?? step}</span>
                      <div className="text-muted">{says}</div>
                      {to_do && <div>{to_do}</div>}
                    </div>
                  </li>
                );
              })}
            </ol>
            <KeyValues
              pairs={[
                data.models.length > 0 && { label: text.models, value: data.models.join(', ') },
                data.context_tokens !== null && {
                  label: text.contextTokens,
                  value: `${count(data.context_tokens)} ${text.tokens}`,
                },
              ]}
            />
          </>
        )}
      </div>
    </Panel>
  );
}

function AgentVariables() {
  return (
    <Panel title={text.agentSettingsTitle} flush>
      <ul className="divide-y divide-line/60">
        {text.agentSettings.map(([variable, key, meaning, standard]) => (
          <li key={key} className="px-3 py-1.5">
            <div className="flex flex-wrap items-baseline gap-x-2">
              {variable && <code className="font-mono text-xs font-medium">{variable}</code>}
              <code className="font-mono text-xs text-muted">
                {key} {text.agentFile}
              </code>
              {standard && (
                <span className="ml-auto text-xs text-faint">
                  {text.agentDefault}: {standard}
                </span>
              )}
            </div>
            <div className="text-xs text-muted">{meaning}</div>
          </li>
        ))}
      </ul>
      <p className="border-t border-line px-3 py-2 text-xs text-faint">{text.agentHow}</p>
    </Panel>
  );
}
