// A command to type, with what is known filled in, and a button that copies it.
import { useState } from "preact/hooks";
import { clusterUrl, command, type CommandName, type Filled } from "../commands";
import { usePage } from "../context";

export function Command({ name, filled = {} }: { name: CommandName; filled?: Filled }) {
  const { status } = usePage();
  const [copied, setCopied] = useState<string | null>(null);
  const text = command(name, { URL: clusterUrl(status?.keeper.cluster), ...filled });
  return (
    <span class="command">
      <code>{text}</code>{" "}
      {navigator.clipboard && (
        <button type="button" class="link" aria-label={`copy: ${text}`} onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}>
          {copied === text ? "copied" : "copy"}
        </button>
      )}
    </span>
  );
}
