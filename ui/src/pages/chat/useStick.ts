import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

/** Pixels from the end within which one is at the end. */
const NEAR = 60;

/** Keeps a scrolled part at its end while somebody is there, and lets them read in peace while they are not. */
export function useStick(area: RefObject<HTMLElement | null>, content: RefObject<HTMLElement | null>) {
  const stuck = useRef(true);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = useCallback(() => {
    const element = area.current;
    if (!element) return;
    stuck.current = true;
    setAtEnd(true);
    element.scrollTop = element.scrollHeight;
  }, [area]);
  /** Somebody came for a place in the middle. */
  const release = useCallback(() => {
    stuck.current = false;
  }, []);
  useLayoutEffect(() => {
    const element = area.current;
    if (element && stuck.current) element.scrollTop = element.scrollHeight;
  });
  useEffect(() => {
    const [element, inner] = [area.current, content.current];
    if (!element || !inner) return;
    let height = element.scrollHeight;
    const onScroll = () => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
      // What grew meanwhile is no wish of whoever reads.
      if (near || element.scrollHeight === height) stuck.current = near;
      height = element.scrollHeight;
      setAtEnd(near);
    };
    const sizes = new ResizeObserver(() => {
      height = element.scrollHeight;
      if (stuck.current) element.scrollTop = element.scrollHeight;
      setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR);
    });
    sizes.observe(inner);
    sizes.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [area, content]);
  return { atEnd, toEnd, release };
}
