//! Is everything there that a keeper's configuration names beside nodes?

use std::{path::Path, sync::Arc};

use ballast_client::{
    BundleLane, MarketContext, PriceAccounts, RemoteSigner, RpcChain, TransactionSigner,
};
use ballast_keeper::{Config, key_file, start};

use super::{DoctorReport, State, grpc};

/// What the service is asked to sign: no transaction.
const TEXT: &[u8] = b"ballast doctor asks whether anybody signs";

/// The configuration, if it can be read.
pub(super) async fn check(
    report: &mut DoctorReport,
    path: &Path,
    chain: &RpcChain,
) -> Option<Config> {
    const WHAT: &str = "keeper config";
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(error) => {
            report.add(WHAT, State::Fail, error.to_string());
            return None;
        }
    };
    let finding = format!("{} markets, mode {:?}", config.markets.len(), config.mode);
    report.add(WHAT, State::Ok, finding);
    signs(report, &config).await;
    grpc::check(report, &config, chain).await;
    engine(report, &config, chain).await;
    Some(config)
}

/// Whether the keeper would serve its markets, as it finds out itself when it starts.
pub(super) async fn pools(report: &mut DoctorReport, config: &Config, chain: &RpcChain) {
    const WHAT: &str = "keeper pools";
    let (mut served, mut skipped) = (0, Vec::new());
    for market in &config.markets {
        let prices = PriceAccounts {
            base: market.base_price,
            quote: market.quote_price,
        };
        match MarketContext::load(chain, market.address, prices).await {
            Err(error) => {
                let finding = format!("market {}: {error}", market.address);
                report.add(WHAT, State::Fail, finding);
                return;
            }
            Ok(market) => match start::untrusted(config, &market) {
                None => served += 1,
                Some(why) => skipped.push(why),
            },
        }
    }
    let state = match (served, skipped.is_empty()) {
        // Then `keeper run` stops at once.
        (0, _) => State::Fail,
        (_, false) => State::Warn,
        (_, true) => {
            let finding = format!("all {served} are of programs that pool_programs names");
            return report.add(WHAT, State::Ok, finding);
        }
    };
    report.add(WHAT, state, skipped.join("; "));
}

/// Who signs for the keeper, and whether anybody else could.
async fn signs(report: &mut DoctorReport, config: &Config) {
    const WHAT: &str = "keeper key";
    if let Some(service) = &config.signer {
        let service = RemoteSigner::new(service.0.clone());
        match service.sign(TEXT).await {
            Ok(_) => {
                let finding = format!("{} signs, by a service", service.address());
                report.add(WHAT, State::Ok, finding);
            }
            Err(error) => report.add(WHAT, State::Fail, error.to_string()),
        }
    } else if let Some(path) = &config.keypair {
        match key_file::check(path) {
            Ok(()) => {
                let finding = format!("{} is its owner's alone", path.display());
                report.add(WHAT, State::Ok, finding);
            }
            Err(error) if config.mode.sends() => {
                report.add(WHAT, State::Fail, error.to_string());
            }
            Err(error) => report.add(WHAT, State::Warn, error.to_string()),
        }
    }
}

/// Whether the block engine answers, and takes tips of the configured accounts.
async fn engine(report: &mut DoctorReport, config: &Config, chain: &RpcChain) {
    const WHAT: &str = "block engine";
    let Some(engine) = config.bundles.engine() else {
        return;
    };
    let label = engine.endpoint.to_string();
    let lane = BundleLane::new(engine, Arc::new(chain.clone()), None);
    match lane.engines_tip_accounts().await {
        Err(error) => report.add(WHAT, State::Warn, error.to_string()),
        Ok(named) => {
            let mut configured = config.bundles.tip_accounts.iter();
            match configured.find(|account| !named.contains(account)) {
                None => report.add(
                    WHAT,
                    State::Ok,
                    format!("{label} takes tips of these accounts"),
                ),
                Some(account) => report.add(
                    WHAT,
                    State::Fail,
                    format!("{label} takes no tips of {account}: correct bundles.tip_accounts"),
                ),
            }
        }
    }
}
