import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toast } from '@/app/toasts';
import { common } from '@/text/common';
import { Button, IconButton } from './Button';

/** Copies; browsers have the new way on secure pages only. */
export async function copyText(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // The old way may still work.
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

/** Copies a text; shows a tick for a while. With `children` it has words. */
export function CopyButton({
  text,
  label = common.copy,
  size = 'sm',
  withLabel,
}: {
  text: string | (() => string);
  label?: string;
  size?: 'sm' | 'md';
  withLabel?: boolean;
}) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    const copied = await copyText(typeof text === 'function' ? text() : text);
    if (copied) setDone(true);
    else toast({ tone: 'warn', title: common.copyFailed });
  };
  const icon = done ? <Check aria-hidden className="size-3.5 text-ok" /> : <Copy aria-hidden className="size-3.5" />;
  const shown = done ? common.copied : label;
  if (withLabel) {
    return (
      <Button size={size} icon={icon} onClick={copy}>
        {shown}
      </Button>
    );
  }
  return <IconButton size={size} label={shown} icon={icon} onClick={copy} />;
}

/** Text of a machine, with a way to copy it. */
export function CodeBlock({
  text,
  label,
  maxHeight = '20rem',
  wrap,
}: {
  text: string;
  label: string;
  maxHeight?: string;
  wrap?: boolean;
}) {
  return (
    <div className="group relative min-w-0 rounded-md border border-line bg-sunken">
      <div className="absolute right-1 top-1 rounded-md bg-sunken">
        <CopyButton text={text} label={`${common.copy}: ${label}`} />
      </div>
      <pre
        tabIndex={0}
        role="region"
        aria-label={label}
        style={{ maxHeight }}
        className={`overflow-auto p-2 pr-10 font-mono text-xs ${wrap ? 'whitespace-pre-wrap [overflow-wrap:anywhere]' : ''}`}
      >
        {text}
      </pre>
    </div>
  );
}
