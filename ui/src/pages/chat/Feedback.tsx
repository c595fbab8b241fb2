import { ThumbsDown, ThumbsUp } from 'lucide-react';
import { useState } from 'react';
import { useRate } from '@/api/chat';
import { toastError } from '@/app/toasts';
import { Button, IconButton } from '@/components/Button';
import { cx } from '@/components/cx';
import { TextField } from '@/components/Field';
import { chat } from '@/text/chat';
import { useChat } from './context';
import type { Message } from './state/talk';

const words = chat.messages;

/** What somebody thinks of an answer; pressed again it is taken back. */
export function Feedback({ message }: { message: Message }) {
  const { session } = useChat();
  const rate = useRate(session);
  const [asks, setAsks] = useState(false);
  const [why, setWhy] = useState('');
  const given = message.feedback;
  const send = (feedback: { good: boolean; text?: string } | null) =>
    rate.mutate({ message: message.id, feedback }, { onError: (error) => toastError(error) });
  const press = (good: boolean) => {
    const back = given?.good === good;
    send(back ? null : { good });
    setAsks(!back);
    setWhy('');
  };
  const thumb = (good: boolean) => {
    const on = given?.good === good;
    const Icon = good ? ThumbsUp : ThumbsDown;
    return (
      <IconButton
        size="sm"
        label={good ? words.good : words.bad}
        aria-pressed={on}
        disabled={rate.isPending}
        icon={<Icon aria-hidden className={cx('size-3.5', on && 'text-accent')} fill={on ? 'currentColor' : 'none'} />}
        onClick={() => press(good)}
      />
    );
  };
  return (
    <>
      {thumb(true)}
      {thumb(false)}
      {given?.text && !asks && <span className="truncate text-faint">“{given.text}”</span>}
      {asks && given && (
        <form
          className="flex min-w-48 flex-1 gap-1"
          onSubmit={(event) => {
            event.preventDefault();
            if (why.trim()) send({ good: given.good, text: why.trim() });
            setAsks(false);
          }}
        >
          <TextField
            className="flex-1"
            label={words.whyLabel}
            hideLabel
            placeholder={words.whyLabel}
            maxLength={1000}
            value={why}
            onChange={setWhy}
          />
          <Button size="sm" className="h-8" type="submit">
            {words.sendFeedback}
          </Button>
        </form>
      )}
    </>
  );
}
