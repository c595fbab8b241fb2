import { LoaderCircle } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { cx } from './cx';

export type Tone = 'plain' | 'primary' | 'danger' | 'quiet';

const TONES: Record<Tone, string> = {
  plain: 'border-edge/60 bg-surface text-ink hover:bg-hover',
  primary: 'border-accent bg-accent text-on-accent hover:bg-accent-hover hover:border-accent-hover',
  danger: 'border-bad/60 bg-surface text-bad hover:bg-bad-soft',
  quiet: 'border-transparent text-muted hover:bg-hover hover:text-ink',
};

export interface ButtonProps extends ComponentProps<'button'> {
  tone?: Tone;
  size?: 'sm' | 'md';
  icon?: ReactNode;
  /** Work is under way: shows a spinner and takes no clicks. */
  busy?: boolean;
}

export function Button({
  tone = 'plain',
  size = 'md',
  icon,
  busy,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cx(
        'inline-flex shrink-0 items-center justify-center gap-1.5 whitespace-nowrap rounded-md border font-medium transition-colors disabled:pointer-events-none disabled:opacity-55',
        size === 'sm' ? 'h-7 px-2 text-xs' : 'h-8 px-3 text-sm',
        TONES[tone],
        className,
      )}
    >
      {busy ? <LoaderCircle aria-hidden className="size-3.5 animate-spin" /> : icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, 'children' | 'icon'> {
  /** What it does; read aloud and shown as tooltip. */
  label: string;
  icon: ReactNode;
}

/** A button that shows a picture only. */
export function IconButton({ label, tone = 'quiet', size = 'md', icon, className, ...rest }: IconButtonProps) {
  return (
    <Button
      aria-label={label}
      title={label}
      tone={tone}
      size={size}
      icon={icon}
      className={cx(size === 'sm' ? 'w-7 px-0' : 'w-8 px-0', className)}
      {...rest}
    />
  );
}
