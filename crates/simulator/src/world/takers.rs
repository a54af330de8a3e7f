//! Those who trade for other reasons than the price, and in which pool.

use ballast_clmm::Side;
use rand::Rng;

use super::{World, WorldError, scenario::PoolShock};
use crate::{RoutingShift, Takers, path::on_line, takers::depth_root};

/// How far takers go from the price.
const TAKERS_LOG: f64 = 0.02;
const SECS_PER_DAY: f64 = 86_400.0;

impl PoolShock {
    /// Its takers, as they are on paths.
    pub(super) fn takers(&self) -> Takers {
        Takers {
            volume_day: self.taker_volume_day,
            // What is here is known of the pool itself.
            others_liquidity: 0.0,
            other_pool: self.other_pool,
            shift: self.routing_shift.map(|shift| RoutingShift {
                after_days: shift.at_secs as f64 / SECS_PER_DAY,
                part: shift.part,
            }),
        }
    }
}

impl World {
    /// Takers buy or sell, as it comes, what of their volume a second pool does not take.
    pub(super) fn takers_trade(&mut self, step_secs: u64) -> Result<(), WorldError> {
        let volume = self.scenario.pool.taker_volume_day * step_secs as f64 / SECS_PER_DAY;
        if volume <= 0.0 {
            return Ok(());
        }
        let log_price = self.units.log_price(self.pool.sqrt_price());
        let volume = volume * self.part_here(log_price);
        let (amount, input, limit) = if self.takers.random() {
            let quote = volume * self.units.quote_scale();
            (quote, Side::Quote, log_price + TAKERS_LOG)
        } else {
            let base = volume / log_price.exp() * self.units.base_scale();
            (base, Side::Base, log_price - TAKERS_LOG)
        };
        self.outsider_swaps(amount as u64, input, limit, |world| {
            &mut world.wallets.takers
        })?;
        Ok(())
    }

    /// The part of takers' volume that comes here: each trade is split so that its last unit costs the same in both pools.
    fn part_here(&self, log_price: f64) -> f64 {
        let shock = &self.scenario.pool;
        let takers = shock.takers();
        let fee = f64::from(self.pool.fee().rate_ppm()) / 1e6;
        let depth = on_line(&shock.other_depth, self.secs as f64, |depth| depth).unwrap_or(1.0);
        let root = depth_root(log_price, self.units);
        let share = takers.share_here(fee, self.pool.liquidity() as f64, root, depth);
        share * takers.stays(self.secs as f64 / SECS_PER_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        StressReport, run_many,
        scenario::{PartAt, Scenario},
        tests::{scenario, small},
    };
    use super::*;
    use crate::OtherPool;

    fn traded(change: impl FnOnce(&mut PoolShock, f64)) -> Scenario {
        let world = World::new(small(), &scenario("calm"), 1).unwrap();
        let mut busy = scenario("calm");
        (busy.duration_secs, busy.step_secs) = (7_200, 30);
        busy.pool.taker_volume_day = 5_000_000.0;
        change(&mut busy.pool, world.pool.liquidity() as f64);
        busy
    }

    fn pool(liquidity: f64) -> Option<OtherPool> {
        Some(OtherPool {
            fee: 0.000_4,
            liquidity,
            trade_size: 1_000.0,
        })
    }

    /// What takers trade here in each step, in quote at about the price of the start.
    fn volumes(scenario: &Scenario) -> Vec<f64> {
        let mut world = World::new(small(), scenario, 1).unwrap().without_keepers();
        let mut volumes = Vec::new();
        while world.secs < scenario.duration_secs {
            let before = world.wallets.takers;
            world.step().unwrap();
            world.count().unwrap();
            let [base, quote] =
                [0, 1].map(|side| (world.wallets.takers[side] - before[side]) as f64);
            volumes.push((base.abs() / 1e9 * 150.0 + quote.abs() / 1e6) / 2.0);
        }
        volumes
    }

    fn sum(volumes: &[f64]) -> f64 {
        volumes.iter().sum()
    }

    fn play(scenario: &Scenario) -> StressReport {
        World::new(small(), scenario, 1).unwrap().run().unwrap()
    }

    #[test]
    fn a_second_pool_takes_what_it_takes_on_paths() {
        let alone = volumes(&traded(|_, _| ()));
        let even = volumes(&traded(|shock, here| shock.other_pool = pool(here)));
        let part = sum(&even) / sum(&alone);
        assert!((part - 0.5).abs() < 0.02, "{part}");
        let deep = volumes(&traded(|shock, here| shock.other_pool = pool(9.0 * here)));
        let part = sum(&deep) / sum(&alone);
        assert!((part - 0.1).abs() < 0.01, "{part}");
        let cheap = traded(|shock, here| {
            shock.other_pool = pool(here).map(|pool| OtherPool { fee: 0.0, ..pool });
        });
        assert!(sum(&volumes(&cheap)) < 0.9 * sum(&even));
        // Those who provide earn less by it.
        let fees = |scenario: &Scenario| {
            let mut world = World::new(small(), scenario, 1).unwrap().without_keepers();
            while world.secs < scenario.duration_secs {
                world.step().unwrap();
            }
            world.pool.growth_x64()[1]
        };
        let all = traded(|_, _| ());
        let shared = traded(|shock, here| shock.other_pool = pool(9.0 * here));
        assert!(fees(&shared) < fees(&all) / 4);
    }

    #[test]
    fn flow_moves_with_depth_and_leaves_for_good() {
        let alone = volumes(&traded(|_, _| ()));
        let parts = |scenario: &Scenario| {
            let here = volumes(scenario);
            // The first hour, and the second.
            [0..120, 120..240].map(|hour| sum(&here[hour.clone()]) / sum(&alone[hour]))
        };
        let [before, after] = parts(&traded(|shock, _| {
            shock.routing_shift = Some(PartAt {
                at_secs: 3_601,
                part: 0.75,
            });
        }));
        assert!(
            (before - 1.0).abs() < 1e-9 && (after - 0.25).abs() < 0.01,
            "{before} {after}"
        );
        let [before, after] = parts(&traded(|shock, here| {
            shock.other_pool = pool(here);
            shock.other_depth = vec![[3_600.0, 1.0], [3_601.0, 19.0]];
        }));
        assert!(
            (before - 0.5).abs() < 0.02 && (after - 0.05).abs() < 0.01,
            "{before} {after}"
        );
        // Others leave this pool: takers go where depth is.
        let [before, after] = parts(&traded(|shock, here| {
            shock.other_pool = pool(here);
            shock.others = vec![PartAt {
                at_secs: 3_601,
                part: 0.0,
            }];
        }));
        assert!(after < 0.9 * before, "{before} {after}");
    }

    #[test]
    fn what_takes_nothing_changes_no_bit_and_threads_neither() {
        let alone = play(&traded(|_, _| ()));
        let nothing = traded(|shock, _| {
            shock.other_pool = pool(0.0);
            shock.other_depth = vec![[0.0, 5.0]];
            shock.routing_shift = Some(PartAt {
                at_secs: 0,
                part: 0.0,
            });
        });
        assert_eq!(play(&nothing), alone);
        let shared = traded(|shock, here| shock.other_pool = pool(here));
        assert_ne!(play(&shared), alone);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let many = || run_many(&small(), &shared, (1, 4), true, || ()).unwrap();
            pool.build().unwrap().install(many)
        };
        assert_eq!(on(1), on(3));
    }
}
