// What the page is tested against: a keeper that can be asked, killed, stalled and started again.
export interface Rig {
  /** Of the page; ends with `/`. The same after a restart. */
  readonly url: string;
  token(): Promise<string>;
  kill(): Promise<void>;
  /** After a kill. */
  restart(): Promise<void>;
  /** Silence on connections that stay open. */
  stall(on: boolean): Promise<void>;
  /** The keeper lives, but sees no chain. */
  blind(on: boolean): Promise<void>;
  /** Makes something change that the page shows. */
  nudge(): Promise<void>;
  /** Makes something due that the keeper then does. */
  makeDue(): Promise<void>;
  close(): Promise<void>;
}
