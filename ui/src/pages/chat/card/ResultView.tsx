import { TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { CodeBlock } from '@/components/Copy';
import { YamlView } from '@/components/Tree';
import { chat } from '@/text/chat';
import { useChat } from '../context';
import { readResult } from '../state/result';

/** What a tool gave: its document as YAML, its error with the hint, or the text that is left of it. Never as markup. */
export function ResultView({ call, told }: { call: string; told: string }) {
  const { suggest, may } = useChat();
  const result = useMemo(() => readResult(told), [told]);
  const { error, value, text, leftOut, untrusted } = result;
  return (
    <div className="space-y-2">
      {untrusted !== undefined && (
        <Badge tone="warn" title={chat.card.untrustedHelp} icon={<TriangleAlert aria-hidden className="size-3.5" />}>
          {chat.card.untrusted}
        </Badge>
      )}
      {error && (
        <div className="rounded-md border border-bad/40 bg-bad-soft p-2 [overflow-wrap:anywhere]">
          <p className="whitespace-pre-wrap text-bad">{error.message}</p>
          {error.hint && <p className="mt-1 whitespace-pre-wrap text-muted">{error.hint}</p>}
          {error.findings !== undefined && (
            <div className="mt-2">
              <YamlView value={error.findings} label={chat.effects.findings} maxHeight="12rem" />
            </div>
          )}
        </div>
      )}
      {value !== undefined && <YamlView value={value} label={chat.card.result} />}
      {text !== undefined && <CodeBlock text={text} label={chat.card.result} wrap />}
      {leftOut && (
        <div className="flex flex-wrap items-center gap-2 text-muted">
          {chat.card.cut(leftOut)}
          {may && (
            <Button size="sm" onClick={() => suggest(chat.card.readOnMessage(call))}>
              {chat.card.readOn}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
