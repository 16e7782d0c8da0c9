import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./Icon";

interface Props {
  title: string;
  icon?: ComponentChildren;
  children: ComponentChildren;
  onClose: () => void;
}

// Above everything else, until it is closed; then the focus is where it was.
export function Dialog({ title, icon, children, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close();
  }, []);
  return (
    // Escape is the browser's; `close` would come late, for a dialog that is gone.
    <dialog ref={dialog} class="modal" aria-labelledby={id} onCancel={onClose}>
      <header>
        {icon}
        <h2 id={id}>{title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
