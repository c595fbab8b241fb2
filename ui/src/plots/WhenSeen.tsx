import { type ReactNode, useEffect, useRef, useState } from 'react';

/** Those that have come into sight and wait for their turn to be drawn. */
const waiting: (() => void)[] = [];
let isBusy = false;

/** Draws one after the other, with a breath between: several plots in one go would hold up the page. */
function takeTurns() {
  if (isBusy) return;
  const next = waiting.shift();
  if (!next) return;
  isBusy = true;
  next();
  requestAnimationFrame(() =>
    setTimeout(() => {
      isBusy = false;
      takeTurns();
    }, 0),
  );
}

/** Draws its content when it comes near the window, and keeps its place until then. */
export function WhenSeen({ height, children }: { height: number; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element || isDue) return;
    const draw = () => setDue(true);
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watch.disconnect();
        waiting.push(draw);
        takeTurns();
      },
      { rootMargin: '100px' },
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      const at = waiting.indexOf(draw);
      if (at >= 0) waiting.splice(at, 1);
    };
  }, [isDue]);
  return (
    <div ref={box} className="h-full min-w-0" style={{ minHeight: height }}>
      {isDue && children}
    </div>
  );
}
