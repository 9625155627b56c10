// SPDX-License-Identifier: Apache-2.0
//! What this host's interfaces say of the two ends of a connection.

use std::io;

use ferrolb_bgp::{Ends, NextHops};
use ferrolb_netio::links::{self, Links, next_hops, next_hops_after};
use tokio::net::TcpStream;

/// The ends of a connection that just came to stand.
pub(super) fn ends(stream: &TcpStream, links: &Links) -> io::Result<Ends> {
    let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
    let (own, peer) = (local.ip().to_canonical(), remote.ip().to_canonical());
    Ok(Ends {
        local,
        remote,
        next_hops: to_speaker(next_hops(links.iter(), own, peer)),
    })
}

/// The next hops of a connection now that interfaces have changed, where they are others than before.
pub(super) fn next_hops_if_changed(ends: &Ends, links: &Links) -> Option<NextHops> {
    let (local, remote) = (ends.local.ip(), ends.remote.ip());
    let before = links::NextHops {
        v4: ends.next_hops.v4,
        v6_global: ends.next_hops.v6,
        v6_link_local: ends.next_hops.link_local,
    };
    let (own, peer) = (local.to_canonical(), remote.to_canonical());
    let after = next_hops_after(before, links.iter(), own, peer);
    (after != before).then(|| to_speaker(after))
}

fn to_speaker(hops: links::NextHops) -> NextHops {
    NextHops {
        v4: hops.v4,
        v6: hops.v6_global,
        link_local: hops.v6_link_local,
    }
}
