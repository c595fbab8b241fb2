import { Info, OctagonAlert, TriangleAlert, X } from 'lucide-react';
import { Toast as Radix } from 'radix-ui';
import { dismissToast, type Toast, useToasts } from '@/app/toasts';
import { shell } from '@/text/shell';
import { Button, IconButton } from './Button';
import { cx } from './cx';

const LOOKS = {
  info: [Info, 'text-accent'],
  warn: [TriangleAlert, 'text-warn'],
  bad: [OctagonAlert, 'text-bad'],
} as const;
const SHOWN_MS = 6000;

/** Stands once in the shell, and shows what `toast()` was told. */
export function Toaster() {
  const toasts = useToasts();
  return (
    <Radix.Provider label={shell.notices} swipeDirection="right">
      {toasts.map((toast) => (
        <Shown key={toast.id} toast={toast} />
      ))}
      <Radix.Viewport className="fixed bottom-0 right-0 z-60 flex w-full max-w-sm flex-col gap-2 p-3 outline-none" />
    </Radix.Provider>
  );
}

function Shown({ toast }: { toast: Toast }) {
  const [Icon, colour] = LOOKS[toast.tone];
  return (
    <Radix.Root
      open
      type={toast.tone === 'bad' ? 'foreground' : 'background'}
      duration={toast.stays ? Number.POSITIVE_INFINITY : (toast.shownMs ?? SHOWN_MS)}
      onOpenChange={(open) => open || dismissToast(toast.id)}
      className="flex items-start gap-2 rounded-lg border border-line bg-raised p-3 shadow-pop"
    >
      <Icon aria-hidden className={cx('mt-0.5 size-4 shrink-0', colour)} />
      <div className="min-w-0 flex-1">
        <Radix.Title className="font-medium [overflow-wrap:anywhere]">{toast.title}</Radix.Title>
        {toast.text && (
          <Radix.Description className="text-muted [overflow-wrap:anywhere]">{toast.text}</Radix.Description>
        )}
      </div>
      {toast.action && (
        <Radix.Action asChild altText={toast.action.label}>
          <Button size="sm" onClick={toast.action.act}>
            {toast.action.label}
          </Button>
        </Radix.Action>
      )}
      <Radix.Close asChild>
        <IconButton size="sm" label={shell.dismiss} icon={<X aria-hidden className="size-3.5" />} />
      </Radix.Close>
    </Radix.Root>
  );
}
