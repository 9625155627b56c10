// SPDX-License-Identifier: Apache-2.0
//! NOTIFICATION: codes, texts, shutdown communication, hard reset.

use super::*;

fn parse_body(body: &[u8]) -> Notification {
    let bytes = message(3, body);
    match parse(&bytes, &Options::default()) {
        Ok(Message::Notification(notification)) => notification,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_code_survives_the_way_there_and_back() {
    for code in 0..=255 {
        for subcode in 0..=255 {
            let notification = parse_body(&[code, subcode, 1, 2]);
            let bytes = emitted(|buf| notification.emit(buf));
            assert_eq!(bytes, message(3, &[code, subcode, 1, 2]));
        }
    }
}

#[test]
fn codes_in_words() {
    let table = [
        ([1, 1], "Message Header Error: Connection Not Synchronized"),
        ([2, 2], "OPEN Message Error: Bad Peer AS"),
        ([2, 0], "OPEN Message Error"),
        ([3, 10], "UPDATE Message Error: Invalid Network Field"),
        ([4, 0], "Hold Timer Expired"),
        ([4, 2], "Hold Timer Expired: subcode 2"),
        (
            [5, 3],
            "Finite State Machine Error: Receive Unexpected Message in Established State",
        ),
        ([6, 7], "Cease: Connection Collision Resolution"),
        ([6, 10], "Cease: BFD Down"),
        ([6, 77], "Cease: subcode 77"),
        (
            [7, 1],
            "ROUTE-REFRESH Message Error: Invalid Message Length",
        ),
        ([8, 0], "Send Hold Timer Expired"),
        ([99, 5], "error code 99: subcode 5"),
    ];
    for (octets, want) in table {
        assert_eq!(parse_body(&octets).to_string(), want);
    }
}

#[test]
fn shutdown_communication_both_ways() {
    let text = "going down for güds";
    let notification = Notification::cease(CeaseError::AdministrativeShutdown, text);
    let mut body = vec![6, 2, 20];
    body.extend(text.as_bytes());
    assert_eq!(emitted(|buf| notification.emit(buf)), message(3, &body));
    let got = parse_body(&body);
    assert_eq!(got.communication().as_deref(), Some(text));
    assert_eq!(
        got.to_string(),
        "Cease: Administrative Shutdown: \"going down for güds\""
    );
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let text = "ü".repeat(200);
    let notification = Notification::cease(CeaseError::AdministrativeReset, &text);
    assert_eq!(
        notification.communication().as_deref(),
        Some("ü".repeat(127).as_str())
    );
    assert_eq!(notification.data[0], 254);
    let plain = Notification::cease(CeaseError::ConnectionCollisionResolution, "unheard");
    assert!(plain.data.is_empty());
}

#[test]
fn texts_that_break_the_rules_do_no_harm() {
    assert_eq!(parse_body(&[6, 2, 9, b'x']).communication(), None);
    assert_eq!(parse_body(&[6, 2, 0]).communication(), None);
    assert_eq!(parse_body(&[6, 2]).communication(), None);
    let binary = parse_body(&[6, 2, 3, b'a', 0xff, b'\n']);
    assert_eq!(binary.communication().as_deref(), Some("a\u{fffd}\n"));
    assert_eq!(
        binary.to_string(),
        "Cease: Administrative Shutdown: \"a\u{fffd}\\n\""
    );
}

#[test]
fn a_hard_reset_holds_another_notification() {
    let inner = Notification::cease(CeaseError::AdministrativeShutdown, "bye");
    let hard = inner.clone().into_hard_reset();
    assert_eq!(
        emitted(|buf| hard.emit(buf)),
        message(3, &[6, 9, 6, 2, 3, b'b', b'y', b'e'])
    );
    assert_eq!(hard.inner(), Some(inner));
    assert_eq!(
        hard.to_string(),
        "Cease: Hard Reset: Cease: Administrative Shutdown: \"bye\""
    );
    assert_eq!(parse_body(&[6, 9]).inner(), None);
}

#[test]
fn data_are_cut_to_what_a_message_holds() {
    let notification = Notification::with_data(ErrorCode::HoldTimerExpired, &[0; 5000]);
    assert_eq!(emitted(|buf| notification.emit(buf)).len(), 4096);
}
