import { type ReactNode, useEffect, useRef, useState } from 'react';

/** Draws its content when it comes near the window, and keeps its place until then. Ten plots at once would be slow to open. */
export function WhenSeen({ height, children }: { height: number; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element || seen) return;
    const watch = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
      },
      { rootMargin: '200px' },
    );
    watch.observe(element);
    return () => watch.disconnect();
  }, [seen]);
  return (
    <div ref={box} className="h-full min-w-0" style={seen ? undefined : { minHeight: height }}>
      {seen && children}
    </div>
  );
}
