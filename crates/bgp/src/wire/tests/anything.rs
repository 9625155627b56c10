// SPDX-License-Identifier: Apache-2.0
//! Any bytes: no panic, nothing unbounded, and what is accepted is consistent.

use proptest::prelude::*;

use super::*;

fn options() -> impl Strategy<Value = Options> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(four, internal, ipv4_over_ipv6)| {
        Options {
            as_width: if four { AsWidth::Four } else { AsWidth::Two },
            peer: if internal {
                PeerKind::Internal
            } else {
                PeerKind::External
            },
            ipv4_over_ipv6,
        }
    })
}

/// Walks everything a message gives out; the prefixes cannot outnumber the octets.
fn walk(bytes: &[u8], options: &Options) {
    let Ok(Framing::Whole(frame)) = frame(bytes, MaxLength::Extended) else {
        return;
    };
    match Message::parse(frame, options) {
        Ok(Message::Update(update)) => {
            let prefixes = update.announced().count() + update.withdrawn().count();
            assert!(prefixes <= bytes.len());
            let attributes = update.attributes();
            let path = attributes.as_path.iter().flat_map(|path| path.segments());
            let asns: usize = path.map(|segment| segment.asns().count()).sum();
            assert!(asns + attributes.communities().count() <= bytes.len());
            assert!(attributes.large_communities().count() <= bytes.len());
            assert!(update.faults().len() <= 17);
            let worst = update.faults().iter().map(|fault| fault.disposition).max();
            assert!(worst <= update.disposition());
            assert_eq!(worst.is_none(), update.disposition().is_none());
        }
        Ok(Message::Notification(notification)) => {
            assert!(notification.to_string().len() <= bytes.len() * 10 + 200);
        }
        Ok(Message::Open(open)) => assert!(open.capabilities.len() <= bytes.len()),
        Ok(Message::KeepAlive | Message::RouteRefresh(_)) => {}
        Err(reset) => assert!(reset.notification.data.len() <= bytes.len().max(2)),
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), options in options()) {
        walk(&bytes, &options);
    }

    #[test]
    fn any_body(
        kind in 1u8..=5,
        body in prop::collection::vec(any::<u8>(), 0..300),
        options in options(),
    ) {
        walk(&message(kind, &body), &options);
    }

    #[test]
    fn any_attributes(
        list in prop::collection::vec(
            (any::<u8>(), 0u8..36, prop::collection::vec(any::<u8>(), 0..24)),
            0..12,
        ),
        nlri in prop::collection::vec(any::<u8>(), 0..12),
        options in options(),
    ) {
        let mut attributes = Vec::new();
        for (flags, code, value) in list {
            attributes.extend([flags & !0x10, code, u8::try_from(value.len()).unwrap()]);
            attributes.extend(value);
        }
        let mut body = vec![0, 0];
        body.extend(u16::try_from(attributes.len()).unwrap().to_be_bytes());
        body.extend(attributes);
        body.extend(nlri);
        walk(&message(2, &body), &options);
    }
}
