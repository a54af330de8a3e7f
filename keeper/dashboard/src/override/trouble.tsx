// Why an override was refused, and what to do.
import type { ComponentChildren } from "preact";
import { sentence } from "../format/words";
import { ApiError } from "../live/http";
import { Command } from "../parts/command";

export function trouble(error: unknown): ComponentChildren {
  if (!(error instanceof ApiError)) return `It failed: ${String(error)}.`;
  switch (error.status) {
    case 0:
      return `${sentence(error.message)} Nothing may have happened: look at the mode above before you try again, or use the command below.`;
    case 401:
      return error.code === "wrong_token" ? (
        <>
          This is not this keeper’s token. A keeper makes a new one when its directory is new: open the page again with <Command name="dashboard" />.
        </>
      ) : (
        <>
          Overrides need the keeper’s token: open the page with <Command name="dashboard" />.
        </>
      );
    case 403:
      return (
        <>
          The keeper refuses requests from this page’s address. Open the page with <Command name="dashboard" />.
        </>
      );
    case 409:
      if (error.code !== "mode_changed") return sentence(error.message);
      return `Somebody was faster: ${sentence(error.message.replace("; look again, then decide", ""))} Nothing was changed. Close this, look again, and decide anew.`;
    case 415:
      return "The keeper did not understand the request (415). Page and keeper are of different versions: reload the page.";
    case 421:
      return "The keeper does not answer for this host name. Use 127.0.0.1, or add the name to `api.hosts`.";
    case 429:
      return "Too many wrong tokens. Wait a minute.";
    case 503:
      return "The keeper is starting. Try again in some seconds.";
    default:
      return sentence(error.message);
  }
}
