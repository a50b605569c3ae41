//! One client that follows several tabs, over one socket or by polls.

use sheetwire_core::protocol::relay::{
    Bid, ClientFrame, CloseReason, JoinSource, PollReply, PollRequest, PollSource, Position,
    RelayFrame, SOURCES_MAX, VERSION, encode,
};

use crate::world::{ANA, BEN, Client, Sheet, World};

async fn join_all(
    world: &World,
    account: &str,
    sheets: &[&Sheet],
    resumes: &[Option<Position>],
    bid: Option<Bid>,
) -> Client {
    let mut more = Vec::new();
    for (at, sheet) in sheets.iter().enumerate() {
        more.push(JoinSource {
            ticket: world.ticket(account, sheet).await.expect("a ticket"),
            resume: resumes.get(at).cloned().flatten(),
        });
    }
    let JoinSource { ticket, resume } = more.remove(0);
    let mut client = world.connect().await;
    let join = ClientFrame::Join {
        v: VERSION,
        ticket,
        resume,
        bid,
        more,
    };
    client.say(&join).await;
    client
}

fn source(at: usize) -> RelayFrame {
    RelayFrame::Source { v: VERSION, at }
}

#[tokio::test]
async fn one_socket_follows_two_tabs() {
    let world = World::start().await;
    let (one, two) = (
        world.spreadsheet(&[&["one"]]),
        world.spreadsheet(&[&["two"]]),
    );
    let mut client = join_all(&world, ANA, &[&one, &two], &[], None).await;
    // Whichever was read first is told first.
    let mut cells = [String::new(), String::new()];
    let mut positions = [None, None];
    let mut at = 0;
    while cells.iter().any(String::is_empty) {
        match client.expect().await {
            RelayFrame::Source { at: turned, .. } => at = turned,
            RelayFrame::Snapshot {
                position,
                cells: told,
                ..
            } => {
                cells[at] = told;
                positions[at] = Some(position);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        cells[0].contains("one") && cells[1].contains("two"),
        "{cells:?}"
    );
    // Said once for as long as it stands.
    if at != 1 {
        world.edit(&two, 0, 0, "three");
        client.refresh().await;
        assert_eq!(client.expect().await, source(1));
    } else {
        world.edit(&two, 0, 0, "three");
        client.refresh().await;
    }
    let (_, position, changed) = client.changes().await;
    assert!(changed.contains("three"), "{changed}");
    drop(client);
    // Each tab resumes at its own position.
    let mut again = join_all(&world, ANA, &[&one, &two], &positions, None).await;
    let resumed = RelayFrame::Resumed {
        v: VERSION,
        position: positions[0].clone().expect("it was told"),
    };
    assert_eq!(again.expect().await, resumed);
    assert_eq!(again.expect().await, source(1));
    let (since, told, _) = again.changes().await;
    assert_eq!(
        (Some(since), told),
        (positions[1].as_ref().map(|held| held.revision), position)
    );
}

#[tokio::test]
async fn the_writer_is_elected_among_those_who_follow_the_first_tab() {
    let world = World::start().await;
    let (one, two) = (
        world.spreadsheet(&[&["one"]]),
        world.spreadsheet(&[&["two"]]),
    );
    let bid = |panel: &str| Bid {
        file: String::from("f"),
        panel: String::from(panel),
        take_over: false,
        fence: None,
    };
    let mut ana = join_all(&world, ANA, &[&one, &two], &[], Some(bid("a"))).await;
    assert!(ana.writer().await.0);
    let mut ben = join_all(&world, BEN, &[&one, &two], &[], Some(bid("b"))).await;
    assert!(!ben.writer().await.0);
}

#[tokio::test]
async fn polls_follow_two_tabs() {
    let world = World::start().await;
    let (one, two) = (
        world.spreadsheet(&[&["one"]]),
        world.spreadsheet(&[&["two"]]),
    );
    let poll = async |resumes: [Option<Position>; 2], wait_ms: u64| {
        let [resume, other] = resumes;
        let request = PollRequest {
            v: VERSION,
            sheet: one.0.clone(),
            resume,
            wait_ms,
            bid: None,
            more: vec![PollSource {
                sheet: two.0.clone(),
                resume: other,
            }],
        };
        let (status, _, body) = world.post("/v1/poll", ANA, &[], encode(&request)).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<PollReply>(&body)
            .expect("frames")
            .frames
    };
    let held = match &poll([None, None], 0).await[..] {
        [
            RelayFrame::Snapshot {
                position: first, ..
            },
            turn,
            RelayFrame::Snapshot {
                position: second, ..
            },
        ] => {
            assert_eq!(*turn, source(1));
            [Some(first.clone()), Some(second.clone())]
        }
        other => panic!("{other:?}"),
    };
    let quiet = poll(held.clone(), 20).await;
    let [RelayFrame::Resumed { .. }, turn, RelayFrame::Resumed { .. }] = &quiet[..] else {
        panic!("{quiet:?}");
    };
    assert_eq!(*turn, source(1));
    world.edit(&two, 0, 0, "three");
    let mut watcher = world.join(BEN, &two, None).await;
    let (changed, ()) = tokio::join!(poll(held, 15_000), watcher.refresh());
    let told = changed.iter().find_map(|frame| match frame {
        RelayFrame::Changes { cells, .. } => Some(cells.contains("three")),
        _ => None,
    });
    assert_eq!(told, Some(true), "{changed:?}");
}

#[tokio::test]
async fn nobody_follows_more_than_the_most() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["one"]]);
    let sheets = vec![&sheet; SOURCES_MAX + 1];
    let mut client = join_all(&world, ANA, &sheets, &[], None).await;
    assert_eq!(client.closing().await.1, CloseReason::Protocol);
    let more = PollSource {
        sheet: sheet.0.clone(),
        resume: None,
    };
    let request = PollRequest {
        v: VERSION,
        sheet: sheet.0.clone(),
        resume: None,
        wait_ms: 0,
        bid: None,
        more: vec![more; SOURCES_MAX],
    };
    let (status, _, _) = world.post("/v1/poll", ANA, &[], encode(&request)).await;
    assert_eq!(status, 400);
}
