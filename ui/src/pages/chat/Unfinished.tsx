import { LoaderCircle } from 'lucide-react';
import { chat } from '@/text/chat';
import { Words } from './markdown/Words';
import type { Unfinished } from './state/talk';
import { Thought } from './Thought';

/** The answer that is being written. */
export function UnfinishedView({ unfinished }: { unfinished: Unfinished }) {
  const { message, text, reasoning, calls } = unfinished;
  return (
    <article aria-label={chat.messages.agent} aria-busy data-message={message} className="min-w-0 space-y-1">
      <Thought text={reasoning} now={text === ''} />
      {text !== '' && <Words text={text} />}
      {calls.map((tool, index) => (
        <p key={index} className="flex items-center gap-2 text-muted">
          <LoaderCircle aria-hidden className="size-4 animate-spin text-accent" />
          {chat.messages.calling(tool)}
        </p>
      ))}
    </article>
  );
}
