//! The page's types are these types: what is checked in is compared with what they say.

use std::{env, fs, path::PathBuf};

use ts_rs::TS;

use crate::*;

/// How [`ballast_strategy::decide::Threshold`] is written.
const THRESHOLDS: &str = "\"hedge_band\" | \"policy_trigger\" | \"market_trigger\" | \"maintenance\" | \"band\" | \"window\" | \"floor\"";

macro_rules! declarations {
    ($($type:ty),* $(,)?) => { [$(<$type as TS>::decl_concrete()),*] };
}

fn generated() -> String {
    let declarations = declarations![
        Known,
        SideOfPrice,
        Verdict,
        MoveState,
        ActionOutcome,
        FlagState,
        ContingencyState,
        Scope,
        OverrideMode,
        Risk,
        Override,
        Overrides,
        OverrideRequest,
        PreviewRequest,
        PreviewNearest,
        Preview,
        ErrorView,
        ErrorBody,
        NextTrigger,
        Next,
        DecisionView,
        ThresholdView,
        PositionView,
        Nearest,
        Extras,
        Row,
        Positions,
        PolicyView,
        EntryView,
        PnlParts,
        Unwind,
        WhatIfState,
        Kept,
        WhatIf,
        CurvePoint,
        PositionDetail,
        History,
        NearestInBook,
        Contingency,
        BookMove,
        BookView,
        ActionFigures,
        Action,
        Actions,
        Flag,
        Flags,
        RedFlags,
        ReserveView,
        OracleView,
        StageEvidence,
        Limits,
        MarketView,
        DepthMove,
        ShareBps,
        LiquidityView,
        FundingView,
        JournalView,
        WalletView,
        KeeperView,
        StreamView,
        EndpointView,
        Counts,
        MarketName,
        StatusView,
        Tick,
        Hello,
        Reset,
    ];
    let mut text = String::from(
        "// Generated from crates/view by its test `the_pages_types_are_these_types`. Do not edit: run that test with\n\
         // BALLAST_WRITE_TYPES=1.\n\n",
    );
    text.push_str(&format!("export type Threshold = {THRESHOLDS};\n"));
    for declaration in declarations {
        // Numbers beyond 2^53 are strings in these answers.
        let declaration = declaration.replace("bigint", "number");
        text.push_str(&format!("export {declaration}\n"));
    }
    text
}

#[test]
fn the_pages_types_are_these_types() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../keeper/dashboard/src/api.ts");
    let generated = generated();
    if env::var_os("BALLAST_WRITE_TYPES").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &generated).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == generated,
        "keeper/dashboard/src/api.ts is not what the types say: run this test with BALLAST_WRITE_TYPES=1 and look at the difference"
    );
}

#[test]
fn thresholds_are_written_as_the_page_knows_them() {
    use ballast_strategy::decide::Threshold as T;
    let all = [
        T::HedgeBand,
        T::PolicyTrigger,
        T::MarketTrigger,
        T::Maintenance,
        T::Band,
        T::Window,
        T::Floor,
    ];
    let written: Vec<_> = all
        .iter()
        .map(|t| serde_json::to_string(t).unwrap())
        .collect();
    assert_eq!(written.join(" | "), THRESHOLDS);
}
