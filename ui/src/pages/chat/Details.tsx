import { useState } from 'react';
import { useAgentStatus } from '@/api/agent';
import { Drawer } from '@/components/Dialog';
import { chat } from '@/text/chat';
import { Grants } from './Grants';
import { ModelCheck } from './ModelCheck';
import type { Talk } from './state/talk';
import { UsageView } from './UsageView';
import { Watching } from './Watching';

const words = chat.details;

/** Permissions, watched tasks, usage and model of a conversation. */
export function Details({ talk, may, onClose }: { talk: Talk; may: boolean; onClose: () => void }) {
  const { data: status } = useAgentStatus();
  const [context, setContext] = useState<number | null>(null);
  return (
    <Drawer open onOpenChange={(open) => open || onClose()} title={words.title}>
      <div className="space-y-6">
        <Part title={words.grants}>
          <Grants talk={talk} />
        </Part>
        <Part title={words.watch}>
          <Watching />
        </Part>
        <Part title={words.usage}>
          <UsageView talk={talk} contextTokens={context} />
        </Part>
        {status?.available && (
          <Part title={words.model}>
            <p className="mb-2 text-muted">
              {status.model} · {status.provider}
            </p>
            {may && <ModelCheck onContext={setContext} />}
          </Part>
        )}
      </div>
    </Drawer>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-2 font-semibold">{title}</h3>
      {children}
    </section>
  );
}
