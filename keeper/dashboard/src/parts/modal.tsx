// A dialog that has the focus until it is closed, and gives it back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface ModalProps {
  labelledBy: string;
  closed: () => void;
  children: (close: () => void) => ComponentChildren;
}

export function Modal({ labelledBy, closed, children }: ModalProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} onClose={closed} aria-labelledby={labelledBy}>
      {children(() => box.current?.close())}
    </dialog>
  );
}
