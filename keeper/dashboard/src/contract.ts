// The keeper's API as the page calls it: the generated types under the page's words, and what not every keeper tells. A field
// with `?` may be absent: the page then says "unknown".
import type * as api from "./api";

export type {
  Action,
  Actions,
  Counts,
  CurvePoint,
  DecisionView as Decision,
  ErrorBody,
  Flag,
  Flags,
  FundingView as Funding,
  Hello,
  History,
  LiquidityView as Liquidity,
  MarketView as Market,
  MoveState as Health,
  Nearest,
  NextTrigger,
  Override,
  OverrideMode as Wish,
  OverrideRequest,
  Overrides,
  ActionOutcome as Outcome,
  PnlParts,
  BookView as Book,
  Preview,
  ReserveView as Reserve,
  Scope,
  Threshold,
  ThresholdView as ThresholdAt,
  Tick,
  Verdict,
  WhatIfState as StateAt,
} from "./api";

export type Address = string;

/** `price`: the oracle's, at which the row was computed. */
export type Row = api.Row & { price?: number };
export type Positions = Omit<api.Positions, "rows"> & { rows: Row[] };
export type Position = api.PositionDetail;

export type MarketName = api.MarketName & { price?: number | null; pool_price?: number | null; positions?: number };
export type Status = Omit<api.StatusView, "markets"> & { markets: MarketName[] };

/** What threatens those who lend to a market. */
export interface Lenders {
  version: number;
  price: number | null;
  sigma_day: number | null;
  reserves: api.ReserveView[];
  near: NearDebt[];
  gaps: LenderGap[];
}
/** Debt of positions whose nearer maintenance boundary is at most so many days of usual movement away. */
export interface NearDebt {
  sigma_days: number;
  positions: number;
  debt_base: string;
  debt_quote: string;
  debt_value: string;
  share_bps: number;
}
/** The price jumps, and nobody acts on the way. */
export interface LenderGap {
  move_bps: number;
  price: number;
  positions_liquidated: number;
  positions_insolvent: number;
  shortfall_base: string;
  shortfall_quote: string;
  shortfall_value: string;
  insurance_value: string;
  lenders_lose_value: string;
  lenders_lose_bps: number;
}
