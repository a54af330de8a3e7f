// A few alternatives side by side.
interface Props<T extends string> {
  label: string;
  options: readonly (readonly [T, string])[];
  value: T;
  choose: (value: T) => void;
}

export function RangeButtons<T extends string>({ label, options, value, choose }: Props<T>) {
  return (
    <div class="seg" role="group" aria-label={label}>
      {options.map(([option, text]) => (
        <button key={option} type="button" aria-pressed={value === option} onClick={() => choose(option)}>
          {text}
        </button>
      ))}
    </div>
  );
}
