use ballast_strategy::fixtures;

use super::{
    book::{Book, Rules},
    *,
};

fn rules() -> Rules {
    let market = fixtures::market();
    Rules {
        params: market.params(),
        safety: market.safety,
        policy: fixtures::policy(),
        economics: Economics::default(),
    }
}

fn parts() -> Parts {
    Book::parse(Book::example()).unwrap().open(&rules()).unwrap()
}

fn scenario(name: &str) -> Scenario {
    Scenario::parse(Scenario::text(name).unwrap()).unwrap()
}

#[test]
fn every_scenario_conserves_every_token() {
    for name in Scenario::names() {
        let before = std::time::Instant::now();
        let mut world = World::new(parts(), &scenario(name), 1).unwrap();
        while world.secs < world.scenario.duration_secs {
            world.step().unwrap();
            world.count().unwrap();
        }
        eprintln!("{name}: {:?}", before.elapsed());
    }
}
