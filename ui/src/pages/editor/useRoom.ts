import { type RefObject, useEffect } from 'react';

/** Below the bars that stay at the top, px. */
const TOP = 96;
const MARGIN = 12;
const LEAST = 280;

/** Keeps an element as tall as there is room below its place in the window, so that its end is always in sight. */
export function useRoom(element: RefObject<HTMLElement | null>) {
  useEffect(() => {
    const measure = () => {
      const box = element.current;
      if (!box) return;
      const top = Math.max(TOP, box.parentElement?.getBoundingClientRect().top ?? 0);
      box.style.setProperty('--room', `${Math.max(LEAST, window.innerHeight - top - MARGIN)}px`);
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(document.body);
    window.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      watch.disconnect();
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  }, [element]);
}
