//! What the rules do over many rollouts, and rollouts one by one.
//!
//! Owns a generator and the users it makes up. The figures are printed with `--nocapture`; the bounds are those that an admin
//! is promised.

use sheetwire_rollout::{
    ALPHA, METRICS, Metric, Mixture, Observed, Promotion, RATIOS, Refused, Rollout, SILENT_HOLD_MS,
    SILENT_OFF_MS, STAGES, Verdict, Why,
};

/// SplitMix64 (G. Steele, D. Lea, C. Flood, 2014): the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn chance(&mut self, probability: f64) -> bool {
        ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) < probability
    }
}

/// How many sessions go wrong before the evidence is enough, if the treatment goes wrong `ratio` times as often.
fn wrong_to_stop(random: &mut Random, share: f64, ratio: f64, most: u32) -> Option<u32> {
    let would = share * ratio / (share * ratio + 1.0 - share);
    let mut mixture = Mixture::default();
    while mixture.wrong() < most {
        mixture.observe(random.chance(would), share);
        if mixture.evidence() >= 1.0 / ALPHA {
            return Some(mixture.wrong());
        }
    }
    None
}

/// The medians that were found when the rule was chosen, at 5 % and with one metric.
const MEDIANS: [(f64, u32); 4] = [(10.0, 13), (5.0, 30), (3.0, 90), (2.0, 284)];

#[test]
fn a_worse_treatment_is_stopped_after_few_wrong_sessions() {
    let mut random = Random(5);
    for (ratio, known) in MEDIANS {
        let mut found: Vec<u32> = (0..2_000)
            .map(|_| wrong_to_stop(&mut random, 0.05, ratio, 20_000).unwrap_or(u32::MAX))
            .collect();
        found.sort_unstable();
        let median = found[found.len() / 2];
        println!(
            "{ratio} times as many wrong sessions: median {median} to stop ({known} when the rule was chosen)"
        );
        assert!(
            median.abs_diff(known) * 5 <= known,
            "{ratio}: {median} instead of {known}"
        );
    }
}

#[test]
fn alike_groups_are_hardly_ever_stopped() {
    for (seed, share) in [(1, 0.05), (2, 0.25), (3, 0.5)] {
        let mut random = Random(seed);
        let stopped = (0..10_000)
            .filter(|_| wrong_to_stop(&mut random, share, 1.0, 600).is_some())
            .count();
        println!("{share}: {stopped} of 10,000 stopped with alike groups");
        assert!(stopped <= 100, "{share}: {stopped}");
    }
}

const NOTHING: [bool; METRICS.len()] = [false; METRICS.len()];

/// One session of a user; what goes wrong does so with `rates`, or with those times `ratio` in the treatment.
fn session(random: &mut Random, user: u64, treated: bool, rates: [f64; 3], ratio: f64) -> Observed {
    let times = if treated { ratio } else { 1.0 };
    Observed {
        user,
        treated,
        opened: true,
        wrong: rates.map(|rate| random.chance(rate * times)),
    }
}

#[test]
fn ten_thousand_whole_rollouts_without_a_change() {
    // 800 users, 40 with the feature; 1 % of sessions go wrong in each way, as in a feature that works.
    let mut random = Random(11);
    let mut stopped = 0;
    for _ in 0..10_000 {
        let mut rollout = Rollout::begin(Promotion::Manual, 0);
        for _ in 0..600 {
            let user = random.next() % 800;
            rollout.observe(session(&mut random, user, user < 40, [0.01; 3], 1.0));
            if let Verdict::RollBack(_) = rollout.verdict(1) {
                stopped += 1;
                break;
            }
        }
    }
    println!("{stopped} of 10,000 rollouts without a change were rolled back");
    assert!(stopped <= 100, "{stopped}");
}

#[test]
fn total_failure_stops_after_two_sessions() {
    let mut rollout = Rollout::begin(Promotion::Automatic, 0);
    let failed = |user| Observed {
        user,
        treated: true,
        opened: true,
        wrong: [true, false, false],
    };
    rollout.observe(failed(1));
    assert!(matches!(rollout.verdict(1), Verdict::Dwell(_)));
    // The same user again is no second witness.
    rollout.observe(failed(1));
    assert!(matches!(rollout.verdict(1), Verdict::Dwell(_)));
    rollout.observe(failed(2));
    let Verdict::RollBack(why @ Why::Broken { .. }) = rollout.verdict(1) else {
        panic!("{:?}", rollout.verdict(1));
    };
    rollout.roll_back(why, 7);
    assert_eq!(rollout.percent(), 0);
    assert_eq!(rollout.verdict(9), Verdict::Latched(why));
    assert_eq!(rollout.promote(9), Err(Refused::Latched));
    rollout.clear(10);
    assert_eq!(rollout.percent(), STAGES[0].percent);
}

#[test]
fn a_trouble_of_everybody_is_no_evidence() {
    // Half of all sessions are slow for a day, with the feature and without.
    let mut random = Random(3);
    let mut rollout = Rollout::begin(Promotion::Manual, 0);
    for _ in 0..2_000 {
        let user = random.next() % 4_000;
        rollout.observe(session(&mut random, user, user < 200, [0.0, 0.5, 0.0], 1.0));
    }
    assert!(
        matches!(rollout.verdict(1), Verdict::Dwell(_)),
        "{:?}",
        rollout.verdict(1)
    );
}

#[test]
fn a_slow_feature_is_stopped_by_its_latency() {
    let mut random = Random(4);
    let mut rollout = Rollout::begin(Promotion::Manual, 0);
    for turn in 0.. {
        assert!(turn < 20_000, "{:?}", rollout.evidence());
        let user = random.next() % 4_000;
        rollout.observe(session(
            &mut random,
            user,
            user < 200,
            [0.0, 0.02, 0.0],
            10.0,
        ));
        if let Verdict::RollBack(Why::Worse {
            metric,
            evidence,
            threshold,
        }) = rollout.verdict(1)
        {
            assert_eq!(metric, Metric::Latency);
            assert!(evidence >= threshold);
            break;
        }
    }
}

#[test]
fn one_user_can_neither_stop_nor_hide() {
    let mut rollout = Rollout::begin(Promotion::Manual, 0);
    for user in 0..100 {
        rollout.observe(Observed {
            user,
            treated: false,
            opened: true,
            wrong: NOTHING,
        });
    }
    let before = rollout.evidence();
    for _ in 0..10_000 {
        rollout.observe(Observed {
            user: 1_000,
            treated: true,
            opened: true,
            wrong: [true; 3],
        });
    }
    assert!(matches!(rollout.verdict(1), Verdict::Dwell(_)));
    assert!(
        rollout.evidence().iter().all(|evidence| *evidence < 15.0),
        "{before:?}"
    );
    // And whoever changes groups counts in neither.
    let sessions = rollout.sessions();
    rollout.observe(Observed {
        user: 1,
        treated: true,
        opened: true,
        wrong: [true; 3],
    });
    assert_eq!(rollout.sessions(), sessions);
}

#[test]
fn a_stage_wants_time_sessions_and_users_before_the_next() {
    let mut rollout = Rollout::begin(Promotion::Manual, 0);
    let day = STAGES[0].dwell_ms;
    assert_eq!(
        rollout.promote(10 * day),
        Err(Refused::TooEarly),
        "nobody has used it"
    );
    for user in 0..40 {
        rollout.observe(Observed {
            user,
            treated: true,
            opened: true,
            wrong: NOTHING,
        });
    }
    assert_eq!(rollout.promote(day - 1), Err(Refused::TooEarly));
    assert_eq!(rollout.verdict(day), Verdict::MayPromote(25));
    assert_eq!(rollout.promote(day), Ok(()));
    assert_eq!((rollout.percent(), rollout.sessions()), (25, [0, 0]));
}

#[test]
fn silence_holds_and_then_rolls_back() {
    let mut rollout = Rollout::begin(Promotion::Manual, 0);
    for at in 0..30 {
        rollout.opened(at);
    }
    assert_eq!(rollout.verdict(SILENT_HOLD_MS), Verdict::Hold);
    assert_eq!(rollout.promote(SILENT_HOLD_MS), Err(Refused::TooEarly));
    assert_eq!(
        rollout.verdict(SILENT_OFF_MS),
        Verdict::RollBack(Why::Silent)
    );
    rollout.observe(Observed {
        user: 1,
        treated: true,
        opened: true,
        wrong: NOTHING,
    });
    assert!(matches!(rollout.verdict(SILENT_OFF_MS), Verdict::Dwell(_)));
}

#[test]
fn the_ratios_hold_what_is_to_be_found() {
    assert!(MEDIANS.iter().all(|(ratio, _)| RATIOS.contains(ratio)));
}
