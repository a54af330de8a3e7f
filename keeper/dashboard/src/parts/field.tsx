// A labelled input that takes the focus when it appears: the dialog around it is open by then.
import { useEffect, useRef } from "preact/hooks";

interface FieldProps {
  label: string;
  type?: "text" | "password";
  value: string;
  set: (value: string) => void;
  placeholder?: string;
  entered?: () => void;
}

export function Field({ label, type = "text", value, set, placeholder, entered }: FieldProps) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const common = {
    ref: box,
    autocomplete: "off" as const,
    value,
    placeholder,
    onInput: (event: { currentTarget: HTMLInputElement }) => set(event.currentTarget.value),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !entered) return;
      event.preventDefault();
      entered();
    },
  };
  return (
    <label>
      {label}
      {type === "password" ? <input type="password" {...common} /> : <input type="text" {...common} />}
    </label>
  );
}
