//! Who writes a file: one of those who bid, for as long as it is heard of.

use std::time::Duration;

use sheetwire_core::election::Bounds;
use sheetwire_core::protocol::relay::{Bid, ClientFrame, RelayFrame, VERSION};

use crate::world::{ANA, BEN, Client, Setup, Sheet, World};

fn bid(panel: &str) -> Bid {
    Bid {
        file: "f1".to_owned(),
        panel: panel.to_owned(),
        take_over: false,
        fence: None,
    }
}

fn quick() -> Setup {
    Setup::default().limited(|limits| {
        limits.election = Bounds {
            lease_ms: 300,
            ping_ms: 50,
            nonce_ms: 0,
        };
        limits.lease_sweep = Duration::from_millis(20);
    })
}

async fn join(world: &World, account: &str, sheet: &Sheet, panel: &str) -> Client {
    world
        .join_to_write(account, sheet, None, Some(bid(panel)))
        .await
}

#[tokio::test]
async fn the_first_writes_and_the_others_are_told_who() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    let (you, name, fence, nonce) = ana.writer().await;
    assert_eq!((you, name.as_str()), (true, ANA));
    ana.snapshot().await;
    let mut ben = join(&world, BEN, &sheet, "p2").await;
    // It comes before the cells.
    let first = ben.expect().await;
    assert!(
        matches!(&first, RelayFrame::Writer { you: false, name, fence: same, .. } if name == ANA && *same == fence),
        "{first:?}"
    );
    ben.snapshot().await;
    assert!(!nonce.is_empty());

    // Another file, and the same file from another sheet, are elections of their own.
    let other = Bid {
        file: "f2".to_owned(),
        ..bid("p3")
    };
    let mut elsewhere = world.join_to_write(BEN, &sheet, None, Some(other)).await;
    assert!(elsewhere.writer().await.0);
    let second = world.spreadsheet(&[&["a"]]);
    assert!(join(&world, BEN, &second, "p4").await.writer().await.0);
}

#[tokio::test]
async fn whoever_leaves_is_followed_by_the_next() {
    let world = World::start_with(quick()).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    let (_, _, fence, _) = ana.writer().await;
    let mut ben = join(&world, BEN, &sheet, "p2").await;
    assert!(!ben.writer().await.0);
    drop(ana);
    let (you, name, next, _) = ben.writer().await;
    assert_eq!((you, name.as_str()), (true, BEN));
    assert!(next > fence);
    // Who comes back follows.
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    let (you, name, same, _) = ana.writer().await;
    assert_eq!((you, name.as_str(), same), (false, BEN, next));
}

#[tokio::test]
async fn a_short_absence_costs_nothing() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    let (_, _, fence, _) = ana.writer().await;
    let mut ben = join(&world, BEN, &sheet, "p2").await;
    ben.writer().await;
    drop(ana);
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    let (you, _, same, _) = ana.writer().await;
    assert_eq!((you, same), (true, fence));
}

/// A socket that is open and silent: its owner does not answer the relay's pings, as when a cable is pulled.
#[tokio::test]
async fn a_writer_that_is_not_heard_of_is_followed_by_the_next() {
    let world = World::start_with(quick()).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    let (_, _, fence, _) = ana.writer().await;
    let mut ben = join(&world, BEN, &sheet, "p2").await;
    ben.writer().await;
    // Ana reads nothing from here on; a ping is answered only while the socket is read.
    let (you, _, next, _) = ben.writer().await;
    assert!(you && next > fence);
    loop {
        let (you, name, told, _) = ana.writer().await;
        if told == next {
            assert_eq!((you, name.as_str()), (false, BEN));
            break;
        }
    }
}

#[tokio::test]
async fn a_designer_takes_over() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    let (_, _, fence, _) = ana.writer().await;
    let mut ben = join(&world, BEN, &sheet, "p2").await;
    ben.writer().await;
    let take_over = || ClientFrame::Bid {
        v: VERSION,
        bid: Bid {
            take_over: true,
            ..bid("p2")
        },
    };
    // Asked again while the relay still minds the last grant.
    let next = loop {
        ben.say(&take_over()).await;
        let (you, _, told, _) = ben.writer().await;
        if you {
            break told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(next > fence);
    loop {
        let (you, name, told, _) = ana.writer().await;
        if told == next {
            assert_eq!((you, name.as_str()), (false, BEN));
            break;
        }
    }
}

#[tokio::test]
async fn who_signs_out_writes_no_more() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = join(&world, ANA, &sheet, "p1").await;
    ana.writer().await;
    let mut ben = join(&world, BEN, &sheet, "p2").await;
    assert!(!ben.writer().await.0);
    world.people.sign_out(ANA);
    assert!(ben.writer().await.0);
}

#[tokio::test]
async fn polls_keep_a_lease_between_them_and_one_file_has_one_writer() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let frames = world.poll_to_write(ANA, &sheet, None, bid("p1")).await;
    let [
        RelayFrame::Writer {
            you: true, fence, ..
        },
        RelayFrame::Snapshot { position, .. },
    ] = &frames[..]
    else {
        panic!("no writer and sheet: {frames:?}");
    };
    let mut ben = join(&world, BEN, &sheet, "p2").await;
    let (you, name, same, _) = ben.writer().await;
    assert_eq!((you, name.as_str(), same), (false, ANA, *fence));
    let again = world
        .poll_to_write(ANA, &sheet, Some(position), bid("p1"))
        .await;
    assert!(
        matches!(&again[..], [RelayFrame::Writer { you: true, fence: same, .. }, RelayFrame::Resumed { .. }] if same == fence),
        "{again:?}"
    );
}

/// The relay has nothing to tell of the sheet for as long as a poll may be held, so that a poll which is answered sooner is
/// answered for the grant alone.
#[tokio::test]
async fn a_poll_that_has_another_grant_to_tell_is_not_held() {
    let world = World::start_with(Setup::default().limited(|limits| {
        limits.heartbeat = Duration::from_secs(3_600);
    }))
    .await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let frames = world.poll_to_write(ANA, &sheet, None, bid("p1")).await;
    let [
        RelayFrame::Writer { fence, .. },
        RelayFrame::Snapshot { position, .. },
    ] = &frames[..]
    else {
        panic!("no writer and sheet: {frames:?}");
    };
    const HELD_MS: u64 = 3_600_000;
    for known in [0, fence - 1] {
        let bid = Bid {
            fence: Some(known),
            ..bid("p1")
        };
        let told = world
            .hold_to_write(ANA, &sheet, Some(position), bid, HELD_MS)
            .await;
        assert!(
            matches!(&told[..], [RelayFrame::Writer { you: true, fence: same, .. }, RelayFrame::Resumed { .. }] if same == fence),
            "{told:?}"
        );
    }
    // Who knows the grant waits for news.
    let bid = Bid {
        fence: Some(*fence),
        ..bid("p1")
    };
    let held = world.hold_to_write(ANA, &sheet, Some(position), bid, HELD_MS);
    let answered = tokio::time::timeout(Duration::from_millis(300), held).await;
    assert!(answered.is_err(), "{answered:?}");
}
