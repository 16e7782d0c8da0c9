import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

const NEAR_PX = 80;

interface End {
  box: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
}

// A list that stays at its end while it grows, or its box shrinks, unless somebody scrolled away. Another `key` begins at
// the end.
export function useEnd(key: string): End {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const top = useRef(0);

  useLayoutEffect(() => {
    atEnd.current = true;
    const stay = () => {
      if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
    };
    stay();
    const sizes = new ResizeObserver(stay);
    for (const part of [box.current, content.current]) if (part) sizes.observe(part);
    return () => sizes.disconnect();
  }, [key]);

  // What grew meanwhile is no scrolling away: only going up is.
  const onScroll = () => {
    const { current } = box;
    if (!current) return;
    const isNear = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_PX;
    if (isNear || current.scrollTop < top.current) atEnd.current = isNear;
    top.current = current.scrollTop;
  };
  return { box, content, onScroll };
}
