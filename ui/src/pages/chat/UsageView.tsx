import { useUsage } from '@/api/chat';
import { KeyValues } from '@/components/KeyValues';
import { Loaded } from '@/components/States';
import { count, number, percent } from '@/format';
import { chat } from '@/text/chat';
import { useChat } from './context';
import type { Talk } from './state/talk';
import { inOrder } from './state/turns';

const words = chat.details;

/** What a conversation used, all runs together, and how full the model's context was for its last answer. */
export function UsageView({ talk, contextTokens }: { talk: Talk; contextTokens?: number | null }) {
  const { session } = useChat();
  const used = useUsage(session);
  const last = inOrder(talk).findLast((message) => message.usage)?.usage;
  const sent = last && last.input_tokens + last.output_tokens;
  return (
    <Loaded of={used}>
      {({ usage, cost, model_answers, tool_calls }) => (
        <KeyValues
          pairs={[
            { label: words.sent, value: count(usage.input_tokens) },
            usage.cached_tokens > 0 && { label: words.cached, value: count(usage.cached_tokens) },
            { label: words.written, value: count(usage.output_tokens) },
            usage.reasoning_tokens > 0 && { label: words.reasoning, value: count(usage.reasoning_tokens) },
            { label: words.cost, value: cost === null ? words.noCost : number(cost, 3) },
            { label: words.answers, value: count(model_answers) },
            { label: words.calls, value: count(tool_calls) },
            usage.untold > 0 && { label: '', value: words.untold(usage.untold) },
            sent !== undefined && {
              label: words.lastContext,
              value: contextTokens
                ? words.share(percent(sent / contextTokens), `${count(contextTokens)} (${count(sent)})`)
                : count(sent),
            },
          ]}
        />
      )}
    </Loaded>
  );
}
