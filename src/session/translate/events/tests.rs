use super::*;
use crate::domain::reason::Reason;
use crate::wire::limits::BODY_LEN_MAX;
use crate::wire::messages::Message;

fn refused(index: u32) -> (EventPlace, Event) {
    let kind = EventKind::Refused {
        refused: Box::new(Refused {
            vendor: None,
            product: Some("BKSRV".parse().expect("good")),
            mac: None,
            host_name: "h".repeat(253),
            reason: Reason::SeatsExhausted,
            count: 1,
            since: Timestamp(1),
        }),
        lacked: NonZeroU32::new(1),
    };
    let event = Event {
        at: Timestamp(2),
        actor: Actor::Server,
        kind,
    };
    (EventPlace { round: 7, index }, event)
}

#[test]
fn a_page_that_would_not_fit_ends_early_and_goes_on_behind_its_last_row() {
    let gap = Gap {
        file: "history/0000000001.journal.gz".to_owned(),
        byte: u64::MAX,
        what: format!("no \n good{}", "\u{e9}".repeat(500)),
        after: u64::MAX,
    };
    let read = |count| EventsRead {
        through: 9,
        rows: (0..count).map(refused).collect(),
        next: Some(EventPlace::behind(9)),
        more: false,
        gaps: vec![gap.clone(); 2 * GAPS_MAX],
    };
    let Response::Events(page) = found(read(256), 5) else {
        panic!("not events")
    };
    let last = page.rows.last().expect("some").place.clone();
    assert!(page.more && page.rows.len() < 256 && page.next == last, "{last:?}");
    assert_eq!(page.gaps.len(), GAPS_MAX);
    let len = page.to_body().expect("it fits a frame").len();
    assert!(len <= BODY_LEN_MAX && BODY_LEN_MAX - len < 500, "{len}");
    let Response::Events(page) = found(read(3), 5) else {
        panic!("not events")
    };
    assert_eq!(
        (page.rows.len(), page.more, page.next),
        (3, false, place(EventPlace::behind(9)))
    );
}

#[test]
fn who_asks_for_an_identity_and_the_server_at_once_is_refused() {
    let ask = events::Events {
        identity: Some([1; 32]),
        by_server: Some(true),
        ..events::Events::default()
    };
    assert!(page(&ask).is_err());
    let nothing = events::Events {
        limit: Some(0),
        ..events::Events::default()
    };
    assert!(page(&nothing).is_err());
}
