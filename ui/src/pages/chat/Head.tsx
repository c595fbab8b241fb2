import { useNavigate } from '@tanstack/react-router';
import {
  Check,
  ChevronDown,
  Download,
  EllipsisVertical,
  PanelLeft,
  PanelRight,
  Pencil,
  Sparkles,
  Trash2,
  X,
} from 'lucide-react';
import { useState } from 'react';
import { deleteSession, exportSession, useChangeSession, useGenerateTitle, useGrants } from '@/api/chat';
import type { ChatMode } from '@/api/types/chat';
import { toastError } from '@/app/toasts';
import { deleteUndoably } from '@/app/undo';
import { Button, IconButton } from '@/components/Button';
import { INPUT } from '@/components/Field';
import { Menu } from '@/components/Menu';
import { useNow } from '@/components/Time';
import { saveFile } from '@/plots/save';
import { chat } from '@/text/chat';
import { common } from '@/text/common';
import { isLive } from './state/grants';

const words = chat.head;
const ICON = 'size-4';

interface HeadProps {
  session: string;
  title: string;
  mode: ChatMode;
  may: boolean;
  live: boolean;
  onSessions: () => void;
  onDetails: () => void;
}

/** Title and mode of a conversation, and what can be done with it. */
export function Head({ session, title, mode, may, live, onSessions, onDetails }: HeadProps) {
  const [edits, setEdits] = useState(false);
  const change = useChangeSession(session);
  const name = useGenerateTitle(session);
  const navigate = useNavigate();
  const shown = title || chat.untitled;
  const failed = { onError: (error: Error) => toastError(error) };
  const save = async () => {
    try {
      saveFile(
        `${shown.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60)}.md`,
        await exportSession(session),
        'text/markdown',
      );
    } catch (error) {
      toastError(error);
    }
  };
  const remove = () => {
    deleteUndoably({ key: session, what: chat.conversation(shown), run: () => deleteSession(session) });
    void navigate({ to: '/chat' });
  };
  return (
    <header className="flex min-h-11 items-center gap-1 border-b border-line px-2 sm:px-3">
      <IconButton
        className="md:hidden"
        label={chat.openSessions}
        icon={<PanelLeft aria-hidden className={ICON} />}
        onClick={onSessions}
      />
      {edits ? (
        <TitleForm
          title={title}
          onClose={() => setEdits(false)}
          onSave={(next) => {
            setEdits(false);
            if (next !== title) change.mutate({ title: next }, failed);
          }}
        />
      ) : (
        <>
          <h1 className="min-w-0 truncate font-semibold" title={shown}>
            {shown}
          </h1>
          {may && (
            <IconButton
              size="sm"
              label={words.editTitle}
              icon={<Pencil aria-hidden className="size-3.5" />}
              onClick={() => setEdits(true)}
            />
          )}
        </>
      )}
      <div className="ml-auto flex shrink-0 items-center gap-1">
        {!live && (
          <span role="status" className="hidden text-xs text-warn sm:inline">
            {words.reconnecting}
          </span>
        )}
        <ModeMenu
          mode={mode}
          disabled={!may || change.isPending}
          onChange={(next) => change.mutate({ mode: next }, failed)}
        />
        <GrantsButton session={session} onClick={onDetails} />
        <IconButton label={words.details} icon={<PanelRight aria-hidden className={ICON} />} onClick={onDetails} />
        <Menu
          items={[
            ...(may
              ? [
                  {
                    label: words.generateTitle,
                    icon: <Sparkles aria-hidden className={ICON} />,
                    disabled: name.isPending,
                    onSelect: () => name.mutate(null, failed),
                  },
                ]
              : []),
            { label: words.export, icon: <Download aria-hidden className={ICON} />, onSelect: () => void save() },
            ...(may
              ? [
                  { kind: 'line' as const },
                  { label: chat.delete, danger: true, icon: <Trash2 aria-hidden className={ICON} />, onSelect: remove },
                ]
              : []),
          ]}
        >
          <IconButton label={common.more} icon={<EllipsisVertical aria-hidden className={ICON} />} />
        </Menu>
      </div>
    </header>
  );
}

interface TitleFormProps {
  title: string;
  onSave: (title: string) => void;
  onClose: () => void;
}

export function TitleForm({ title, onSave, onClose }: TitleFormProps) {
  const [text, setText] = useState(title);
  const wanted = text.trim();
  return (
    <form
      className="flex min-w-0 flex-1 items-center gap-1"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted) onSave(wanted);
      }}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <input
        // biome-ignore lint/a11y/noAutofocus: somebody has just asked to write here
        autoFocus
        aria-label={words.titleLabel}
        maxLength={100}
        className={`${INPUT} max-w-md`}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onFocus={(event) => event.target.select()}
      />
      <IconButton
        size="sm"
        type="submit"
        label={words.saveTitle}
        disabled={!wanted}
        icon={<Check aria-hidden className="size-3.5" />}
      />
      <IconButton size="sm" label={common.cancel} icon={<X aria-hidden className="size-3.5" />} onClick={onClose} />
    </form>
  );
}

const MODES: ChatMode[] = ['ask', 'read_only', 'unattended'];

function ModeMenu({
  mode,
  disabled,
  onChange,
}: {
  mode: ChatMode;
  disabled: boolean;
  onChange: (mode: ChatMode) => void;
}) {
  const options = MODES.map((value) => ({ value, label: words.modes[value] }));
  return (
    <Menu
      items={[
        { kind: 'radio', label: words.mode, value: mode, options, onChange: (value) => onChange(value as ChatMode) },
        { kind: 'line' },
        ...MODES.map((one) => ({ kind: 'label' as const, label: `${words.modes[one]}: ${words.modeHelp[one]}` })),
      ]}
    >
      <Button
        size="sm"
        tone="quiet"
        disabled={disabled}
        title={words.modeHelp[mode]}
        aria-label={`${words.mode}: ${words.modes[mode]}`}
      >
        {words.modes[mode]}
        <ChevronDown aria-hidden className="size-3.5" />
      </Button>
    </Menu>
  );
}

/** How many permissions are good now. */
function GrantsButton({ session, onClick }: { session: string; onClick: () => void }) {
  const { data } = useGrants(session);
  const now = useNow();
  const live = data?.filter((grant) => isLive(grant, now)).length ?? 0;
  if (live === 0) return null;
  return (
    <Button size="sm" className="hidden border-warn/50 text-warn sm:inline-flex" onClick={onClick}>
      {words.grants(live)}
    </Button>
  );
}
