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

  const onScroll = () => {
    const { current } = box;
    if (current) atEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_PX;
  };
  return { box, content, onScroll };
}
