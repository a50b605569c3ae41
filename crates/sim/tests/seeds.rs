//! A thousand worlds, and all that have failed once.

use sheetwire_sim::{Tally, kept_seeds, run};

#[test]
fn seeds_that_failed_once_hold() {
    for seed in kept_seeds(include_str!("../seeds.txt")) {
        if let Err(broken) = run(seed) {
            panic!("\n{broken}");
        }
    }
}

#[test]
fn a_thousand_worlds_hold() {
    let mut tally = Tally::default();
    for seed in 0..1_000 {
        match run(seed) {
            Ok(of_seed) => tally.add(of_seed),
            Err(broken) => panic!("\n{broken}"),
        }
    }
    // The worlds have to test something.
    assert!(tally.crashes > 500, "{tally:?}");
    assert!(tally.restarts > 200, "{tally:?}");
    assert!(tally.breaks > 1_000, "{tally:?}");
    assert!(tally.polling > 100, "{tally:?}");
    assert!(tally.writes > 20_000, "{tally:?}");
    assert!(tally.claims > 20_000, "{tally:?}");
    // About a twentieth: a plan that waits or a row that is held back has its reason told.
    assert!(tally.explained * 18 < tally.claims, "{tally:?}");
}

#[test]
fn a_world_is_decided_by_its_seed() {
    for seed in [1, 2, 3] {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(
            first.map_err(|broken| broken.to_string()),
            second.map_err(|broken| broken.to_string())
        );
    }
}
