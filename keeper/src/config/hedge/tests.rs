use std::{path::Path, time::Duration};

use ballast_venue::hyperliquid::sign::Network;
use rust_decimal::Decimal;
use solana_sdk::pubkey::Pubkey;

use super::{Hedge, HedgeVenue, RawHedge};

const MARKET: Pubkey = Pubkey::new_from_array([7; 32]);

fn parse(text: &str) -> Result<Option<Hedge>, String> {
    let raw: RawHedge = toml::from_str(text).map_err(|error| error.to_string())?;
    let hedge = raw.read().map_err(|error| error.to_string())?;
    if let Some(hedge) = &hedge {
        hedge.check(&[MARKET]).map_err(|error| error.to_string())?;
    }
    Ok(hedge)
}

fn perp() -> String {
    format!(
        "[[perps]]\ncoin = \"SOL\"\nmarkets = [\"{MARKET}\"]\nband = 2.5\nmax_position = \"500\"\n"
    )
}

fn real() -> String {
    format!(
        "venue = \"hyperliquid\"\nnetwork = \"testnet\"\naccount = \"0x{}\"\nagent_key = \"key\"\nowners = [\"{MARKET}\"]\n",
        "1f".repeat(20)
    )
}

#[test]
fn it_is_off_until_a_venue_is_named_and_the_least_is_few_lines() {
    assert_eq!(parse("").unwrap(), None);
    assert_eq!(parse("venue = \"off\"").unwrap(), None);
    let paper = parse(&format!("venue = \"paper\"\n{}", perp()))
        .unwrap()
        .unwrap();
    assert!(paper.is_paper());
    assert_eq!(paper.perps[0].band, Decimal::new(25, 1));
    assert_eq!(paper.every, Duration::from_secs(3));
    assert_eq!(
        paper.summary(),
        format!(
            "paper, account 0x{}, everybody's positions: SOL for 1 market, band ±2.5, at most 500",
            "00".repeat(20)
        )
    );
    let mut real = parse(&(real() + &perp())).unwrap().unwrap();
    real.relative_to(Path::new("etc"));
    let HedgeVenue::Hyperliquid {
        network,
        url,
        agent_key,
    } = &real.venue
    else {
        panic!("{:?}", real.venue);
    };
    assert_eq!(
        (*network, url.as_str(), agent_key.as_path()),
        (
            Network::Testnet,
            Network::Testnet.url(),
            Path::new("etc/key")
        )
    );
    let [perp] = &real.perps[..] else {
        panic!("{:?}", real.perps);
    };
    assert_eq!(
        (perp.coin.as_str(), &perp.markets[..]),
        ("SOL", &[MARKET][..])
    );
}

#[test]
fn what_makes_no_sense_is_refused_by_its_key() {
    let paper = || format!("venue = \"paper\"\n{}", perp());
    let other = "[[perps]]\ncoin = \"BTC\"\nband = 1\nmax_position = 2\n";
    for (text, key) in [
        (perp(), "hedge.venue"),
        ("venue = \"paper\"\n".into(), "hedge.perps"),
        (
            "venue = \"paper\"\nnetwork = \"mainnet\"\n".to_owned() + &perp(),
            "hedge.network",
        ),
        (
            real().replace("testnet", "mainet") + &perp(),
            "hedge.network",
        ),
        (real().replace("network", "# ") + &perp(), "hedge.network"),
        (
            real().replace("agent_key", "# ") + &perp(),
            "hedge.agent_key",
        ),
        (real().replace("account", "# ") + &perp(), "hedge.account"),
        (real().replace("0x1f", "0x") + &perp(), "hedge.account"),
        (real().replace("owners", "# ") + &perp(), "hedge.owners"),
        (paper() + &perp(), "hedge.perps[1].coin"),
        (
            paper().replace("band = 2.5", "band = -1"),
            "hedge.perps[0].band",
        ),
        (
            paper().replace("band = 2.5", "band = 501"),
            "hedge.perps[0].band",
        ),
        (paper().replace("500", "0"), "hedge.perps[0]"),
        (
            format!("{}{other}markets = [\"{MARKET}\"]", paper()),
            "hedge.perps[1].markets",
        ),
        (
            format!("{}{other}markets = [\"{}\"]", paper(), Pubkey::default()),
            "hedge.perps[1].markets",
        ),
        ("every_ms = 1999\n".to_owned() + &paper(), "hedge.every_ms"),
        ("order_ms = 999\n".to_owned() + &paper(), "hedge.order_ms"),
        (
            "depth_share = 1.5\n".to_owned() + &paper(),
            "hedge.depth_share",
        ),
        ("max_loss = 0\n".to_owned() + &paper(), "hedge.max_loss"),
        (
            "max_deviation_bps = 0\n".to_owned() + &paper(),
            "hedge.max_deviation_bps",
        ),
        (
            "lease_url = \"postgres://me@localhost/x\"\n".to_owned() + &paper(),
            "hedge.lease_url",
        ),
        (
            "lease_url = \"mysql://me:secret@h/x\"\nlease_member = \"a\"\n".to_owned() + &paper(),
            "hedge.lease_url",
        ),
        (
            "paper_spread_bps = 0\n".to_owned() + &paper(),
            "hedge.paper_spread_bps",
        ),
        ("bnad = 1\n".to_owned() + &paper(), "bnad"),
        (paper() + "size = 1", "size"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(key), "{key}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
