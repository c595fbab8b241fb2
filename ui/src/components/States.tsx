import { CircleAlert, Inbox, LockKeyhole, RotateCw, Unplug } from 'lucide-react';
import type { ReactNode } from 'react';
import { type ApiError, asApiError } from '@/api/error';
import { common } from '@/text/common';
import { Button } from './Button';
import { cx } from './cx';

/** Holds the place of what is loading. */
export function Skeleton({ className, lines }: { className?: string; lines?: number }) {
  if (lines !== undefined) {
    return (
      <div role="status" aria-label={common.loading} className={cx('space-y-2 p-3', className)}>
        {Array.from({ length: lines }, (_, n) => (
          <div
            key={n}
            className="h-4 animate-pulse rounded-sm bg-sunken"
            style={{ width: `${95 - ((n * 17) % 40)}%` }}
          />
        ))}
      </div>
    );
  }
  return (
    <div role="status" aria-label={common.loading} className={cx('animate-pulse rounded-sm bg-sunken', className)} />
  );
}

function Notice({
  icon,
  title,
  text,
  children,
  live,
}: {
  icon: ReactNode;
  title: string;
  text?: ReactNode;
  children?: ReactNode;
  live?: boolean;
}) {
  return (
    <div role={live ? 'alert' : undefined} className="flex flex-col items-center gap-1.5 px-4 py-8 text-center">
      <span className="text-faint">{icon}</span>
      <p className="font-medium">{title}</p>
      {text && <div className="max-w-prose text-muted [overflow-wrap:anywhere]">{text}</div>}
      {children && <div className="mt-2 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}

/** Nothing there: says why, and what to do. */
export function Empty({
  title,
  text,
  icon,
  children,
}: {
  title: string;
  text?: ReactNode;
  icon?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <Notice icon={icon ?? <Inbox aria-hidden className="size-6" />} title={title} text={text}>
      {children}
    </Notice>
  );
}

export function NoPermission({ error }: { error?: ApiError }) {
  return (
    <Notice
      icon={<LockKeyhole aria-hidden className="size-6" />}
      title={common.noPermission}
      text={error?.hint ?? common.noPermissionHint}
    />
  );
}

/** The server writes fragments; here they stand alone. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What failed, in the server's words, with its hint. */
export function ErrorView({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const told = asApiError(error);
  if (told.isPermission) return <NoPermission error={told} />;
  const lost = told.status === 0;
  const Icon = lost ? Unplug : CircleAlert;
  return (
    <Notice
      live
      icon={<Icon aria-hidden className="size-6 text-bad" />}
      title={lost ? common.unreachable : sentence(told.message)}
      text={
        <>
          {lost ? common.unreachableHint : told.hint && sentence(told.hint)}
          {told.requestId && (
            <div className="mt-1 font-mono text-xs text-faint">{common.requestId(told.requestId)}</div>
          )}
        </>
      }
    >
      {onRetry && (
        <Button size="sm" icon={<RotateCw aria-hidden className="size-3.5" />} onClick={onRetry}>
          {common.retry}
        </Button>
      )}
    </Notice>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: Error | null;
  isPending: boolean;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  of: Asked<T>;
  skeleton?: ReactNode;
  /** Shown instead where there is nothing. */
  empty?: ReactNode;
  isEmpty?: (data: T) => boolean;
  children: (data: T) => ReactNode;
}

/** A query in each of its states: loading, error, no permission, empty, there. Old data stays while it is read again. */
export function Loaded<T>({ of, skeleton, empty, isEmpty, children }: LoadedProps<T>) {
  if (of.data !== undefined) {
    const none = isEmpty ? isEmpty(of.data) : Array.isArray(of.data) && of.data.length === 0;
    return <>{none && empty ? empty : children(of.data)}</>;
  }
  if (of.error) return <ErrorView error={of.error} onRetry={() => void of.refetch()} />;
  return <>{skeleton ?? <Skeleton lines={4} />}</>;
}
