// Generated from crates/view by its test `the_pages_types_are_these_types`. Do not edit: run that test with
// BALLAST_WRITE_TYPES=1.

/** What a price boundary stands for. */
export type Threshold = "hedge_band" | "policy_trigger" | "market_trigger" | "maintenance" | "band" | "window" | "floor";

/** What is done. */
export type ActionKind = "compound" | "recenter" | "rehedge" | "refresh_price" | "refresh_stage" | "exit" | "deleverage" | "deleverage_swap" | "liquidate";

/** Whether something is known: what is not is never `null` or 0 alone. */
export type Known = "known" | "unknown";

/** The journal. */
export type JournalView = {
  /** `ok`, `failed`, or `none` in observe mode. */
  state: string;
  /** Records in it: the sequence number of the newest. */
  records: number;
  /** When the newest was written, cluster's clock. */
  last_secs: number | null;
};

/** The keeper's own SOL. */
export type WalletView = {
  /** `null`: not looked at yet. */
  sol: string | null;
  /** With less it warns. */
  low_below: string;
};

/** Who answers. */
export type KeeperView = {
  /** Version of the program. */
  version: string;
  /** Commit it was built from; `unknown` where there was no repository. */
  commit: string;
  /** A new one with every start. */
  instance: string;
  /** Who signs. */
  pubkey: string;
  /** The cluster's name. */
  cluster: string;
  /** Its genesis hash. */
  genesis_hash: string;
  /** When it was started. */
  started_secs: number;
  /** `observe`, `paper`, `reducing`, `active` or `halted`. */
  mode: string;
  /** Why. */
  mode_reason: string;
  /** Time between two ticks of the stream. */
  heartbeat_ms: number;
  /** The journal. */
  journal: JournalView;
  /** The wallet. */
  wallet: WalletView;
};

/** The stream from the chain. */
export type StreamView = {
  /** `live`, or `stalled`. */
  state: string;
  /** Time since the newest slot was seen. */
  lag_ms: number;
};

/** A node, by name: its URL holds keys. */
export type EndpointView = {
  /** Its name. */
  name: string;
  /** `ok`, `behind` or `silent`. */
  state: string;
  /** Newest slot from it. */
  slot: number;
  /** How long it takes to answer; `null`: not measured. */
  latency_ms: number | null;
};

/** The keeper's work in numbers. */
export type Counts = {
  /** Positions known. */
  positions: number;
  /** Something is due and possible. */
  due: number;
  /** Something is due and not possible. */
  blocked: number;
  /** Actions in flight. */
  in_flight: number;
  /** Actions that wait for others to end. */
  waiting: number;
};

/** A market, by name. */
export type MarketName = {
  /** Its address. */
  market: string;
  /** `BASE/QUOTE`. */
  name: string;
  /** Name of the base token. */
  base: string;
  /** Name of the quote token. */
  quote: string;
  /** Its risk stage. */
  stage: number;
  /** The oracle's price; `null`: there is none. */
  price: number | null;
  /** The pool's price; `null`: the market has not been read yet. */
  pool_price: number | null;
  /** Positions known. */
  positions: number;
};

/** Everything about the keeper. */
export type StatusView = {
  /** Version of the API. */
  api: string;
  /** Of the answer. */
  version: number;
  /** The keeper's clock. */
  now: number;
  /** Newest slot. */
  slot: number;
  /** Time since it was seen. */
  slot_age_ms: number;
  /** The keeper. */
  keeper: KeeperView;
  /** The stream. */
  stream: StreamView;
  /** Nodes. */
  endpoints: Array<EndpointView>;
  /** Work. */
  counts: Counts;
  /** Red flags. */
  red_flags: RedFlags;
  /** The newest overrides, oldest first. */
  overrides: Array<Override>;
  /** Markets. */
  markets: Array<MarketName>;
  /** Where a transaction is shown: a template with `{signature}`. */
  explorer: string | null;
};

/** How a position stands after a move. */
export type MoveState = "healthy" | "above_trigger" | "liquidated";

/** A position after a move. */
export type WhatIfState = {
  /** Equity. */
  equity: string;
  /** Delta. */
  delta: string;
  /** LTV. */
  ltv_bps: number;
  /** `null`: no equity. */
  leverage_bps: number | null;
  /** How it stands. */
  state: MoveState;
};

/** The same where the keeper acts on the way. */
export type Kept = WhatIfState & {
  /** How often it acted. */
  actions: number;
};

/** What a move of the price would do. */
export type WhatIf = {
  /** The move. */
  move_bps: number;
  /** Where it ends. */
  price: number;
  /** At once: nobody can act. */
  gap: WhatIfState;
  /** In sixty steps, with the keeper; `null`: it may not. */
  kept: Kept | null;
};

/** A stored position with its numbers at the oracle's price: `ballast positions --json` and the API alike. */
export type PositionView = {
  /** Its address. */
  position: string;
  /** Its number, unique among its creator's. */
  id: number;
  /** Its market. */
  market: string;
  /** Whose equity it is. */
  owner: string;
  /** Of which slot all this is. */
  slot: number;
  /** The oracle's price. */
  price: number;
  /** The pool's price. */
  pool_price: number;
  /** Lower end of the band. */
  lower: number;
  /** Upper end of the band. */
  upper: number;
  /** The same as a tick. */
  tick_lower: number;
  /** The same as a tick. */
  tick_upper: number;
  /** Whether the pool's price is in the band. */
  in_range: boolean;
  /** Liquidity in the pool's own unit. */
  liquidity: string;
  /** Base in the pool, at the oracle's price. */
  pool_base: string;
  /** Quote in the pool, at the oracle's price. */
  pool_quote: string;
  /** Base beside it. */
  idle_base: string;
  /** Quote beside it. */
  idle_quote: string;
  /** Base owed. */
  debt_base: string;
  /** Quote owed. */
  debt_quote: string;
  /** Value of everything owned, quote, rounded down. */
  assets: string;
  /** Value of everything owed, quote, rounded up. */
  debt: string;
  /** Assets less debt. */
  equity: string;
  /** dE/dP, base. */
  delta: string;
  /** Base to sell (negative: to buy) until the hedge is the policy's. */
  hedge_error: string;
  /** Assets over equity, rounded up; `null`: no equity. */
  leverage_bps: number | null;
  /** Debt over assets, rounded up. */
  ltv_bps: number;
  /** LTV from which anyone may liquidate. */
  maintenance_ltv_bps: number;
  /** Price at and below which that is so. */
  liquidation_lower: number | null;
  /** Price at and above which that is so. */
  liquidation_upper: number | null;
  /** The oracle's price at opening. */
  entry_price: number | null;
  /** Equity at opening. */
  entry_equity: string;
  /** For how long it has been open. */
  open_secs: number;
  /** How often it was rehedged. */
  rehedges: number;
  /** How often it was deleveraged. */
  deleverages: number;
  /** How often it was liquidated. */
  liquidations: number;
  /** Whether the owner lets keepers act on the policy. */
  keepers_allowed: boolean;
};

/** Which of two boundaries. */
export type SideOfPrice = "lower" | "upper";

/** The nearer of the two maintenance boundaries. */
export type Nearest = {
  /** Which. */
  side: SideOfPrice;
  /** 1e4 (P* / P - 1), signed. */
  distance_bps: number;
  /** The same in days of usual movement. */
  sigma_days: number;
};

/** What only a keeper knows of a position. */
export type Extras = {
  /** What people call it. */
  label: string | null;
  /** Largest hedge error that is left alone, base. */
  hedge_tolerance: string;
  /** `null`: no price is a boundary. */
  nearest: Nearest | null;
  /** What happens first in either direction. */
  next: Next;
  /** What the keeper makes of it. */
  decision: DecisionView;
  /** What the keeper may do for it: its own mode, or less. `expect_mode` of an override is compared with this. */
  mode: string;
  /** The override that keeps the keeper from it. */
  paused: Override | null;
  /** Change of equity in a day; `null`: nobody watched for so long. */
  pnl_day: string | null;
};

/** A position in a book. */
export type Row = Extras & {
  /** See `PositionView`. */
  position: string;
  /** See `PositionView`. */
  id: number;
  /** See `PositionView`. */
  owner: string;
  /** See `PositionView`. */
  market: string;
  /** See `PositionView`. */
  price: number;
  /** See `PositionView`. */
  lower: number;
  /** See `PositionView`. */
  upper: number;
  /** See `PositionView`. */
  in_range: boolean;
  /** See `PositionView`. */
  equity: string;
  /** See `PositionView`. */
  assets: string;
  /** See `PositionView`. */
  debt: string;
  /** See `PositionView`. */
  delta: string;
  /** See `PositionView`. */
  hedge_error: string;
  /** See `PositionView`. */
  ltv_bps: number;
  /** See `PositionView`. */
  leverage_bps: number | null;
  /** See `PositionView`. */
  liquidation_lower: number | null;
  /** See `PositionView`. */
  liquidation_upper: number | null;
  /** See `PositionView`. */
  keepers_allowed: boolean;
};

/** A window of the book. */
export type Positions = {
  /** Of the answer. */
  version: number;
  /** By what it is sorted. */
  sort: string;
  /** How many there are. */
  total: number;
  /** How many come before these. */
  offset: number;
  /** These. */
  rows: Array<Row>;
};

/** What keepers may do by the owner's policy. */
export type PolicyView = {
  /** Part of the pool's base that is borrowed. */
  hedge_bps: number;
  /** Rehedge beyond this part of the full base amount. */
  delta_band_bps: number;
  /** Largest hedge error after a rehedge. */
  delta_target_bps: number;
  /** LTV from which keepers may deleverage. */
  deleverage_trigger_ltv_bps: number;
  /** LTV to which they then go. */
  deleverage_target_ltv_bps: number;
  /** Largest loss of a swap. */
  max_swap_loss_bps: number;
  /** Least time between two rehedges. */
  min_rebalance_interval_secs: number;
  /** Whether keepers may act on it. */
  keepers_allowed: boolean;
};

/** The owner's policy and automation. */
export type OwnersWishes = PolicyView & {
  /** Whether keepers may recenter. */
  recenter: boolean;
  /** Equity at which the owner wants out. */
  equity_floor: string | null;
  /** Prices between which the owner wants to be in. */
  window: [number | null, number | null];
};

/** What the position was when it was opened. */
export type EntryView = {
  /** The oracle's price. */
  price: number | null;
  /** Equity. */
  equity: string;
  /** When. */
  secs: number;
  /** Leverage then; `null`: no equity, or not known, see `as_opened_state`. */
  leverage_bps: number | null;
  /** Maintenance boundary as opened; `null`: none, or not known, see `as_opened_state`. */
  liquidation_lower: number | null;
  /** Likewise. */
  liquidation_upper: number | null;
  /** Whether the position as it was opened is known. */
  as_opened_state: Known;
};

/** Where profit and loss come from. The five add up to the total, exactly. */
export type PnlParts = {
  /** Whether the split is known; if not, there are no parts. */
  state: Known;
  /** Earned in the pool. */
  fees?: string;
  /** Paid to lenders. */
  interest?: string;
  /** Delta times the price's move. */
  drift?: string;
  /** What the move cost beyond that. */
  curvature?: string;
  /** Swaps, rewards, transactions. */
  costs?: string;
};

/** What closing now would take. */
export type Unwind = {
  /** Base to buy (negative: to sell). */
  swap_base: string;
  /** What that loses against the oracle's price, quote; `null`: the liquidity at the price does not suffice. */
  cost: string | null;
  /** How far it moves the pool's price. */
  impact_bps: number | null;
};

/** The position at a price. */
export type CurvePoint = {
  /** The price. */
  price: number;
  /** Equity, quote. */
  equity: number;
  /** Equity of the position as it was opened; `null`: not known. */
  as_opened: number | null;
  /** Delta, base. */
  delta: number;
  /** LTV; `null`: nothing is owned. */
  ltv_bps: number | null;
  /** Leverage; `null`: no equity. */
  leverage_bps: number | null;
};

/** Everything about a position. */
export type PositionDetail = PositionView & Extras & {
  /** Of the answer. */
  version: number;
  /** What is due and what comes next, in words: those of `ballast explain`. */
  sentence: string;
  /** Fees that wait in the pool, valued in quote; `null`: not looked at. */
  fees_waiting: string | null;
  /** Change of delta per unit of price. */
  gamma: string;
  /** Change of delta when the price rises by one percent. */
  gamma_1pct: string;
  /** What curvature costs a day at the market's volatility (negative). */
  curvature_day: string;
  /** Prices at which something becomes due. */
  thresholds: Array<ThresholdView>;
  /** As opened. */
  entry: EntryView;
  /** Where profit and loss come from. */
  pnl: PnlParts;
  /** Profit and loss since opening. */
  pnl_total: string;
  /** Since when the split is known. */
  pnl_observed_from_secs?: number;
  /** LTV from which keepers deleverage it: the policy's trigger or the market's, whichever is lower; the market's alone where keepers may not act on the policy. */
  deleverage_ltv_bps: number;
  /** The owner's wishes. */
  policy: OwnersWishes;
  /** What closing would take. */
  unwind: Unwind;
  /** What moves would do. */
  what_if: Array<WhatIf>;
  /** Along the price. */
  curve: Array<CurvePoint>;
};

/** A position through time, in columns. */
export type History = {
  /** Of the answer. */
  version: number;
  /** Whether anybody keeps it. */
  state: Known;
  /** Time between two rows. */
  step_secs: number;
  /** What stands in a row. */
  fields: Array<string>;
  /** Rows, oldest first. */
  rows: Array<Array<number | null>>;
  /** Hedge error that is left alone now, base. */
  tolerance: number;
};

/** What follows from a decision. */
export type Verdict = "nothing" | "act" | "blocked" | "paused";

/** A decision, in words. */
export type DecisionView = {
  /** What follows. */
  verdict: Verdict;
  /** What is due. */
  action: ActionKind | null;
  /** Why. */
  reason: string | null;
  /** What stands in its way. */
  obstacles: Array<string>;
  /** What the action would move. */
  details?: string;
};

/** A price at which something becomes due. */
export type NextTrigger = {
  /** The price. */
  price: number;
  /** What it stands for. */
  threshold: Threshold;
  /** What is done then. */
  action: string;
};

/** What happens first in either direction. */
export type Next = {
  /** If the price falls. */
  below: NextTrigger | null;
  /** If it rises. */
  above: NextTrigger | null;
};

/** The prices between which a threshold is not reached. */
export type ThresholdView = {
  /** Which. */
  threshold: Threshold;
  /** What is done when it is reached. */
  action: string;
  /** Reached at this price and below. */
  below: number | null;
  /** Reached at this price and above. */
  above: number | null;
  /** Whether it is not reached at the oracle's price. */
  quiet: boolean;
};

/** What an override is about. */
export type Scope = "keeper" | "position";

/** What it says. */
export type OverrideMode = "halt" | "reduce" | "pause" | "resume";

/** An override in the journal. */
export type Override = {
  /** Its sequence number in the journal. */
  id: number;
  /** When. */
  secs: number;
  /** About what. */
  scope: Scope;
  /** What it says. */
  mode: OverrideMode;
  /** Why. */
  note: string;
  /** Who: `dashboard`, `cli`, `file`, `flags`. */
  by: string;
  /** The position. */
  position: string | null;
  /** Its number. */
  number?: number;
  /** Its market. */
  market?: string;
  /** When it ends by itself. */
  until_secs?: number;
};

/** An action that was signed before and cannot be called back. */
export type InFlight = {
  /** Number of its intent. */
  id: number;
  /** The position. */
  position: string;
  /** Its number; `null`: it is not known any more. */
  number: number | null;
  /** Its market; `null`: it is not known any more. */
  market: string | null;
  /** What it does. */
  action: ActionKind;
  /** Its transaction. */
  signature: string;
};

/** What `POST /overrides` answers. */
export type AppliedOverride = Override & {
  /** What was in flight when it was journaled and may land yet. */
  in_flight: Array<InFlight>;
};

/** Newest first. */
export type Overrides = {
  /** Of the answer. */
  version: number;
  /** Each. */
  rows: Array<Override>;
};

/** What `POST /overrides` takes. */
export type OverrideRequest = {
  /** About what. */
  scope: Scope;
  /** What it says. */
  mode: OverrideMode;
  /** Which position. */
  position?: string;
  /** Why, in three letters or more. */
  note: string;
  /** When it ends by itself. */
  until_secs?: number;
  /** Refused if the keeper's mode is another one. */
  expect_mode?: string;
};

/** What `POST /overrides/preview` takes. */
export type PreviewRequest = {
  /** About what. */
  scope: Scope;
  /** What it says. */
  mode: OverrideMode;
  /** Which position. */
  position?: string;
};

/** What an override does to risk. */
export type Risk = "raises" | "lowers" | "restores";

/** The nearest of the positions concerned. */
export type PreviewNearest = {
  /** Its number; `null`: there is no position. */
  id: number | null;
  /** Its market. */
  market: string | null;
  /** Which boundary. */
  side: SideOfPrice | null;
  /** See `Nearest`. */
  distance_bps: number | null;
  /** See `Nearest`. */
  sigma_days: number | null;
};

/** What an override would do. */
export type Preview = {
  /** In a sentence. */
  effect: string;
  /** To risk. */
  risk: Risk;
  /** Positions concerned. */
  positions: number;
  /** Their equity; `null`: their markets have different quote tokens. */
  equity: string | null;
  /** A market in whose quote token equity is counted; `null`: there is no position, or there are several tokens. */
  market: string | null;
  /** Of how many something is due now. */
  due_now: number;
  /** How many are within a usual day's move of liquidation. */
  within_one_sigma_day: number;
  /** The nearest. */
  nearest: PreviewNearest;
  /** Actions that cannot be called back. */
  in_flight: Array<InFlight>;
};

/** The position nearest to its maintenance boundary. */
export type NearestInBook = {
  /** Its address. */
  position: string;
  /** Its number. */
  id: number;
  /** Which boundary. */
  side: SideOfPrice;
  /** See `Nearest`. */
  distance_bps: number;
  /** See `Nearest`. */
  sigma_days: number;
};

/** Whether the buffer suffices. */
export type ContingencyState = "enough" | "short" | "unknown";

/** What would bring every position back to its target after a gap, and what there is. */
export type Contingency = {
  /** The gap, to either side. */
  gap_bps: number;
  /** Quote needed. */
  needed_quote: string | null;
  /** Base needed. */
  needed_base: string | null;
  /** Quote held for it. */
  have_quote: string | null;
  /** Base held for it. */
  have_base: string | null;
  /** Whether it suffices. */
  state: ContingencyState;
};

/** What a move of the price at once would do to all of them. */
export type BookMove = {
  /** The move. */
  move_bps: number;
  /** Where it ends, in the first market. */
  price: number;
  /** Equity of all. */
  equity_gap: string;
  /** Positions at or above their deleverage trigger. */
  positions_above_trigger_gap: number;
  /** Positions at or above maintenance. */
  positions_liquidated_gap: number;
};

/** What the hedge at a venue has earned, in the quote token taken for a dollar. The three parts are all there is. */
export type HedgePnl = {
  /** By the price, with what trading cost against the middle. */
  price: string;
  /** By the venue's fees. */
  fees: string;
  /** By funding. */
  funding: string;
  /** Their sum. */
  total: string;
  /** Since when. */
  observed_from_secs: number;
};

/** The book, sums in the first market's tokens. */
export type BookView = {
  /** Of the answer. */
  version: number;
  /** Which market's positions these are. */
  market: string;
  /** Sum of equities. */
  equity: string;
  /** Sum of assets. */
  assets: string;
  /** Sum of debts. */
  debt: string;
  /** Change of equity in a day; `null`: nobody watched for so long. */
  pnl_day: string | null;
  /** Sum of deltas. */
  delta: string;
  /** Base held at a venue against it. */
  hedge_delta: string;
  /** Both. */
  net_delta: string;
  /** Change of delta when the price rises by one percent. */
  gamma_1pct: string;
  /** What curvature costs a day (negative). */
  curvature_day: string;
  /** What positions in their bands earn a day. */
  fees_day: string;
  /** `measured`, or `expected` by the configuration. */
  fees_day_state: string;
  /** Where profit and loss come from. */
  pnl_parts: PnlParts;
  /** `null`: no position has a boundary. */
  nearest: NearestInBook | null;
  /** Buffer against a gap. */
  contingency: Contingency;
  /** Moves at once. */
  what_if: Array<BookMove>;
  /** Positions whose numbers cannot be computed, which no sum holds. */
  unvalued: number;
  /** Whether a venue's hedge is known. */
  hedge_state: Known;
  /** What the hedge at the venue has earned; `null`: there is none, or it is not known. `pnl_parts` do not hold it. */
  hedge_pnl: HedgePnl | null;
};

/** What became of an action. */
export type ActionOutcome = "pending" | "landed" | "failed" | "raced" | "expired" | "dropped" | "paper";

/** A position before or after an action. */
export type ActionFigures = {
  /** Equity. */
  equity: string;
  /** Delta; `null`: not recorded. */
  delta: string | null;
  /** LTV. */
  ltv_bps: number;
};

/** An action of the keeper's journal. */
export type Action = {
  /** Number of its intent. */
  id: number;
  /** When it was decided, cluster's clock. */
  secs: number;
  /** The position; the market's address for what is done to the market. */
  position: string;
  /** The position's number; `null`: it is not known any more, or the market itself. */
  number: number | null;
  /** The market; `null`: it is not known any more. */
  market: string | null;
  /** What. */
  action: ActionKind;
  /** Why. */
  reason: string;
  /** The oracle's price. */
  price: number;
  /** What became of it. */
  outcome: ActionOutcome;
  /** Why it failed. */
  error: string | null;
  /** Its transaction; `null`: only simulated. */
  signature: string | null;
  /** Slot of its block; before, the slot of the data that it was decided on. */
  slot: number;
  /** What its swap lost against the oracle's price, quote; `null`: not known. */
  cost: string | null;
  /** Who did it. */
  by: string;
  /** Before. */
  before: ActionFigures;
  /** Afterwards; `null`: not known. */
  after: ActionFigures | null;
};

/** A page of actions, newest first. */
export type Actions = {
  /** Of the answer. */
  version: number;
  /** These. */
  rows: Array<Action>;
  /** Whether there are older ones. */
  more: boolean;
};

/** How a flag stands. */
export type FlagState = "quiet" | "raised" | "unknown";

/** A red flag. */
export type Flag = {
  /** Its name. */
  name: string;
  /** The same for people. */
  label: string;
  /** What was seen, with its unit. */
  value: string;
  /** From where on it is raised, with its unit. */
  threshold: string;
  /** For how long that must have been so. */
  window_secs: number;
  /** How it stands. */
  state: FlagState;
  /** Since when it has been raised. */
  since_secs: number | null;
  /** Evidence, or why it cannot be judged. */
  note: string;
};

/** All of them. */
export type Flags = {
  /** Of the answer. */
  version: number;
  /** Each. */
  flags: Array<Flag>;
};

/** How many are raised. */
export type RedFlags = {
  /** Raised. */
  raised: number;
  /** There are. */
  of: number;
  /** From how many on the keeper only reduces. */
  reduce_at: number;
};

/** A reserve. */
export type ReserveView = {
  /** Its token. */
  token: string;
  /** Lent to it, interest included. */
  supplied: string;
  /** Not lent on. */
  available: string;
  /** Owed to it. */
  borrowed: string;
  /** Borrowed over supplied. */
  utilisation_bps: number;
  /** What borrowers pay a year. */
  borrow_rate_bps: number;
  /** What lenders get a year. */
  supply_rate_bps: number;
  /** Tokens that one share is worth. */
  share_price: string;
  /** Set aside against bad debt. */
  insurance: string;
  /** Ever booked and not covered. */
  bad_debt: string;
  /** What positions do not cover and nobody has booked yet. */
  shown_loss: string;
  /** Most that may be lent to it. */
  supply_cap: string;
  /** Most that may be owed to it. */
  borrow_cap: string;
};

/** Debt of positions whose nearer maintenance boundary is at most so far away. */
export type NearDebt = {
  /** So far, in days of usual movement. */
  sigma_days: number;
  /** How many. */
  positions: number;
  /** Base that they owe. */
  debt_base: string;
  /** Quote that they owe. */
  debt_quote: string;
  /** Both, in quote. */
  debt_value: string;
  /** The same as a part of all that is owed. */
  share_bps: number;
};

/** The price jumps, and nobody acts on the way. */
export type LenderGap = {
  /** The move. */
  move_bps: number;
  /** Where it ends. */
  price: number;
  /** Positions at or above maintenance. */
  positions_liquidated: number;
  /** Positions whose assets do not cover their debts. */
  positions_insolvent: number;
  /** Base that is owed and not covered. */
  shortfall_base: string;
  /** Quote that is owed and not covered. */
  shortfall_quote: string;
  /** Both, in quote. */
  shortfall_value: string;
  /** What is set aside against it, in quote. */
  insurance_value: string;
  /** What lenders would lose, each token's insurance spent first. */
  lenders_lose_value: string;
  /** The same as a part of what is lent. */
  lenders_lose_bps: number;
};

/** A market as its lenders see it. */
export type LendersView = {
  /** Of the answer. */
  version: number;
  /** The oracle's price. */
  price: number;
  /** A usual day's move, as a part of the price. */
  sigma_day: number;
  /** Base and quote. */
  reserves: Array<ReserveView>;
  /** What is lent near to liquidation. */
  near: Array<NearDebt>;
  /** What jumps would cost. */
  gaps: Array<LenderGap>;
};

/** The oracle. */
export type OracleView = {
  /** Age of the older of the two prices. */
  age_secs: number;
  /** Oldest that adds risk. */
  max_age_tight_secs: number;
  /** Oldest that reduces it. */
  max_age_loose_secs: number;
  /** Confidence interval over price, of both feeds; `null`: there is no price. */
  confidence_bps: number | null;
  /** Distance from the moving average, of the worse feed; `null`: there is no price. */
  ema_divergence_bps: number | null;
};

/** A kind of evidence for a risk stage. */
export type StageEvidence = {
  /** Its name. */
  name: string;
  /** What is seen, with its unit. */
  value: string;
  /** From where on it counts; `null`: it is switched off. */
  raises_at: string | null;
};

/** The market's limits. */
export type Limits = {
  /** Highest leverage. */
  max_leverage_bps: number;
  /** Highest LTV to begin with. */
  initial_ltv_bps: number;
  /** LTV from which anyone may deleverage. */
  deleverage_ltv_bps: number;
  /** LTV to which deleverages and liquidations go. */
  target_ltv_bps: number;
  /** LTV from which anyone may liquidate. */
  maintenance_ltv_bps: number;
  /** What a liquidator gains. */
  liquidation_bonus_bps: number;
  /** Move that a new position has to survive. */
  stress_distance_bps: number;
};

/** A market. */
export type MarketView = {
  /** Of the answer. */
  version: number;
  /** Its address. */
  market: string;
  /** Its name, `BASE/QUOTE`. */
  name: string;
  /** Name of the base token. */
  base: string;
  /** Name of the quote token. */
  quote: string;
  /** Its pool. */
  pool: string;
  /** Of which slot this is. */
  slot: number;
  /** The oracle's price; `null`: there is none. */
  price: number | null;
  /** The pool's price. */
  pool_price: number;
  /** Pool over oracle, less one; `null`: there is no oracle price. */
  deviation_bps: number | null;
  /** Largest that keepers act on. */
  max_deviation_bps: number;
  /** The oracle. */
  oracle: OracleView;
  /** What the market allows: `normal`, `no_new_risk`, `reduce_only`. */
  mode: string;
  /** Risk stage, on chain. */
  stage: number;
  /** What it rests on. */
  stage_evidence: Array<StageEvidence>;
  /** Rules. */
  limits: Limits;
  /** A usual day's move, as a part of the price. */
  sigma_day: number;
  /** `measured`, or `assumed` until enough was seen. */
  sigma_state: string;
  /** Base and quote. */
  reserves: Array<ReserveView>;
};

/** What moving the price takes. */
export type DepthMove = {
  /** The move. */
  move_bps: number;
  /** Worth of what lies on the way, quote. */
  value: number;
};

/** Parts of the pool's liquidity at the price. */
export type ShareBps = {
  /** All positions'. */
  book: number;
  /** One position's. */
  position: number;
};

/** Liquidity by price. */
export type LiquidityView = {
  /** Of the answer. */
  version: number;
  /** Whether the pool's own liquidity away from the price is known; if not, bins hold only the book's and the active one. */
  state: Known;
  /** The oracle's price. */
  price: number | null;
  /** What stands in a bin. */
  fields: Array<string>;
  /** In what values are. */
  unit: string;
  /** Bins, lowest first: from, to, pool, book, position. */
  bins: Array<[number, number, number, number, number]>;
  /** What moves take. */
  depth: Array<DepthMove>;
  /** Parts at the price. */
  share_bps: ShareBps;
};

/** The hedge at a venue through time, in columns. What it has earned counts from when its journal began. */
export type HedgeHistory = {
  /** Of the answer. */
  version: number;
  /** Whether anybody keeps it. */
  state: Known;
  /** The venue. */
  venue: string | null;
  /** The instrument. */
  instrument: string | null;
  /** When the hedge's journal began, cluster's clock. */
  observed_from_secs: number | null;
  /** Time between two rows. */
  step_secs: number;
  /** What stands in a row. Amounts of money are dollars; `realised`, `unrealised`, `funding` and `fees` add up to `pnl`. */
  fields: Array<string>;
  /** Rows, oldest first. */
  rows: Array<Array<number | null>>;
};

/** Funding at the hedge's venue. */
export type FundingView = {
  /** Of the answer. */
  version: number;
  /** Whether anybody looks at it. */
  state: Known;
  /** The venue. */
  venue: string | null;
  /** The instrument. */
  instrument: string | null;
  /** Of rates. */
  unit: string;
  /** Between two rates. */
  interval_secs: number;
  /** Time, rate. */
  past: Array<[number, number]>;
  /** Time, mean, low, high. */
  forecast: Array<[number, number, number, number]>;
  /** How the forecast is made. */
  forecast_note: string;
  /** Base held there. */
  position_base: string;
};

/** The heartbeat. */
export type Tick = {
  /** Grows with every change of what the keeper knows. */
  version: number;
  /** The keeper's clock. */
  now: number;
  /** Newest slot. */
  slot: number;
  /** Time since it was seen. */
  slot_age_ms: number;
  /** The keeper's mode. */
  mode: string;
  /** Risk stage of the first market. */
  stage: number;
  /** Red flags raised. */
  flags_raised: number;
  /** The oracle's price in the first market; `null`: there is none. */
  price: number | null;
  /** The pool's. */
  pool_price: number | null;
};

/** The first event of every stream. */
export type Hello = Tick & {
  /** Another one than before: the keeper was restarted. */
  instance: string;
  /** Time between two ticks. */
  heartbeat_ms: number;
};

/** The journal no longer reaches back to what the reader last saw: read everything anew. */
export type Reset = {
  /** Why. */
  reason: string;
};

/** Why a request is refused. */
export type ErrorView = {
  /** For programs. */
  code: string;
  /** What to do, for people. */
  message: string;
  /** Which part of the request. */
  field?: string;
};

/** The body of every refusal. */
export type ErrorBody = {
  /** Why. */
  error: ErrorView;
};
