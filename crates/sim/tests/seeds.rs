//! A thousand worlds, and all that have failed once.

use sheetwire_sim::{Count, Tally, kept_seeds, run};

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
    // The worlds have to test something, and every kind of trouble.
    for what in Count::ALL {
        // That somebody edits the very value between its reading and its writing is as rare as it should be.
        let least = if what == Count::HandEditsRaced { 0 } else { 20 };
        assert!(tally.of(what) >= least, "{what:?}\n{tally}");
    }
    assert!(tally.of(Count::Writes) > 20_000, "{tally}");
    assert!(tally.of(Count::Claims) > 20_000, "{tally}");
    let explained = tally.of(Count::ClaimsExplained);
    // About a twentieth: a plan that waits or a row that is held back has its reason told.
    assert!(explained * 20 < tally.of(Count::Claims), "{tally}");
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
