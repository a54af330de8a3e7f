// An address of this page that leads nowhere.
import { href, type Route } from "../route";

export function Unknown({ what, to, link }: { what: string; to: Route; link: string }) {
  return (
    <section class="panel">
      <p class="empty">
        {what} <a href={href(to)}>{link}</a>
      </p>
    </section>
  );
}
