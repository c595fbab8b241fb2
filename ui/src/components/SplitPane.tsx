import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react';
import { components } from '@/text/components';

/** Two parts with a line between them that can be moved, by pointer or arrow keys; below each other on narrow screens. */
export function SplitPane({
  first,
  second,
  initial = 50,
  least = 20,
}: {
  first: ReactNode;
  second: ReactNode;
  initial?: number;
  least?: number;
}) {
  const [share, setShare] = useState(initial);
  const box = useRef<HTMLDivElement>(null);
  const set = (wanted: number) => setShare(Math.max(least, Math.min(100 - least, wanted)));
  const onMove = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || !box.current) return;
    const { left, width } = box.current.getBoundingClientRect();
    set(((event.clientX - left) / width) * 100);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    set(share + step);
  };
  return (
    <div ref={box} className="flex min-h-0 min-w-0 flex-1 flex-col gap-3 lg:flex-row lg:gap-0">
      <div
        className="min-h-0 min-w-0 lg:w-[var(--share)]"
        style={{ '--share': `calc(${share}% - 0.375rem)` } as React.CSSProperties}
      >
        {first}
      </div>
      <div
        role="separator"
        tabIndex={0}
        aria-label={components.resize}
        aria-orientation="vertical"
        aria-valuenow={Math.round(share)}
        aria-valuemin={least}
        aria-valuemax={100 - least}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onMove}
        onKeyDown={onKey}
        className="hidden w-3 shrink-0 cursor-col-resize touch-none items-stretch justify-center lg:flex"
      >
        <span className="w-px bg-line" />
      </div>
      <div className="min-h-0 min-w-0 flex-1">{second}</div>
    </div>
  );
}
