import { useNavigate } from '@tanstack/react-router';
import { PanelLeft, Sparkles } from 'lucide-react';
import { useRef, useState } from 'react';
import { useAgentStatus } from '@/api/agent';
import { createSession } from '@/api/chat';
import { toastError } from '@/app/toasts';
import { IconButton } from '@/components/Button';
import { ErrorView } from '@/components/States';
import { chat } from '@/text/chat';
import { Composer, type ComposerHandle } from './Composer';
import { sendMessage } from './outbox';
import { Setup } from './Setup';
import { useNewestTasks } from './useKnownTasks';

const words = chat.empty;

/** Before anything was said: examples, and where to write. */
export function NewChat({ may, onSessions }: { may: boolean; onSessions: () => void }) {
  const status = useAgentStatus();
  const tasks = useNewestTasks();
  const navigate = useNavigate();
  const composer = useRef<ComposerHandle>(null);
  const [begins, setBegins] = useState(false);
  const ended = tasks.data?.find((task) => task.status === 'completed') ?? tasks.data?.[0];
  const examples = [...(ended ? words.ofTask(ended.name) : []), ...words.general].slice(0, 6);
  const begin = async (text: string) => {
    if (begins) return;
    setBegins(true);
    try {
      const session = await createSession();
      void sendMessage(session, text);
      await navigate({ to: '/chat/$session', params: { session } });
    } catch (error) {
      composer.current?.suggest(text);
      toastError(error);
      setBegins(false);
    }
  };
  const unset = status.data && !status.data.available;
  const disabled = !may ? chat.composer.noRole : unset ? chat.composer.unavailable : undefined;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex min-h-11 items-center gap-1 border-b border-line px-2 sm:px-3">
        <IconButton
          className="md:hidden"
          label={chat.openSessions}
          icon={<PanelLeft aria-hidden className="size-4" />}
          onClick={onSessions}
        />
        <h1 className="font-semibold">{chat.newChat}</h1>
        {status.data?.available && <span className="ml-auto truncate text-xs text-faint">{status.data.model}</span>}
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-3 py-6 sm:px-5">
        <div className="mx-auto max-w-3xl space-y-6">
          {status.error && <ErrorView error={status.error} onRetry={() => void status.refetch()} />}
          {unset && <Setup status={status.data} />}
          {!unset && (
            <>
              <div className="pt-6 text-center">
                <Sparkles aria-hidden className="mx-auto mb-2 size-6 text-accent" />
                <h2 className="text-lg font-semibold">{words.title}</h2>
                <p className="mx-auto mt-1 max-w-prose text-muted">{words.text}</p>
              </div>
              <ul aria-label={words.examples} className="grid gap-2 sm:grid-cols-2">
                {examples.map((example) => (
                  <li key={example}>
                    <button
                      type="button"
                      disabled={disabled !== undefined}
                      onClick={() => composer.current?.suggest(example)}
                      className="h-full w-full rounded-lg border border-line bg-surface px-3 py-2 text-left text-muted hover:border-edge/60 hover:text-ink disabled:opacity-60 [overflow-wrap:anywhere]"
                    >
                      {example}
                    </button>
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      </div>
      <div className="border-t border-line px-3 py-2 sm:px-5">
        <Composer ref={composer} draft="new" said={[]} disabled={disabled} onSend={(text) => void begin(text)} />
      </div>
    </div>
  );
}
