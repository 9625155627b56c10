// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a session, in words: a code, the cause and the remedy.

use std::{fmt, net::IpAddr, time::Duration};

use ferrolb_types::{Asn, Code, Diagnostic, Family, ObjectRef, PeerName, RouterId, codes::session};

use crate::{
    Fault, PeerConfig,
    config::Field,
    wire::{ErrorCode, Notification, OpenError, SessionReset},
};

/// Something that is wrong with a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable reason code.
    pub code: Code,
    /// What is wrong, as a clause without a full stop.
    pub cause: String,
    /// What to do, as an imperative clause without a full stop.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; {}", self.code, self.cause, self.remedy)
    }
}

impl Problem {
    fn new(code: Code, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            cause: cause.into(),
            remedy: remedy.into(),
        }
    }

    /// The same as a diagnostic of the `BGPPeer`.
    #[must_use]
    pub fn diagnostic(&self, namespace: &str, peer: &PeerName) -> Diagnostic {
        let object = ObjectRef::new("BGPPeer", namespace, peer.as_str());
        Diagnostic::error(self.code, object, self.cause.clone(), self.remedy.clone())
    }

    /// No connection came about.
    pub(crate) fn connect_failed(config: &PeerConfig, fault: &Fault) -> Self {
        let (remote, port) = (config.remote, config.port);
        match fault {
            Fault::Refused => Self::new(
                session::G001,
                format!("{remote} refuses connections on TCP port {port}"),
                "start BGP on the router and configure this node as its neighbor, or correct peerPort",
            ),
            Fault::TimedOut => Self::no_answer(config),
            Fault::Unreachable => Self::new(
                session::G003,
                format!(
                    "there is no way to {remote} from this node{}",
                    far(config, ", or")
                ),
                "check the node's routes and the link to the router, or correct peerAddress",
            ),
            Fault::Reset => Self::new(
                session::G004,
                format!("{remote} closed the connection while it was being opened"),
                "see the router's log; it probably does not know this node as a neighbor",
            ),
            Fault::Other(text) => Self::new(
                session::G005,
                format!("connecting to {remote} port {port} failed: {text}"),
                "mend what the operating system complains of",
            ),
        }
    }

    /// Nothing answers.
    pub(crate) fn no_answer(config: &PeerConfig) -> Self {
        let (remote, port) = (config.remote, config.port);
        let password = match config.password {
            Some(_) => "the TCP MD5 password differs from the router's",
            None => "the router requires a TCP MD5 password",
        };
        Self::new(
            session::G002,
            format!(
                "{remote} does not answer on TCP port {port}: it is down, a filter drops the \
                 packets, or {password}{}",
                far(config, "; or")
            ),
            "check that the router can be reached, the filters between, and the password on both sides",
        )
    }

    /// A connection that stood is gone.
    pub(crate) fn closed(config: &PeerConfig, fault: Option<&Fault>, state: &str) -> Self {
        let how = match fault {
            None => "closed the connection".to_owned(),
            Some(Fault::Reset) => "reset the connection".to_owned(),
            Some(Fault::TimedOut) => "stopped answering".to_owned(),
            Some(Fault::Unreachable) => "became unreachable".to_owned(),
            Some(Fault::Refused) => "refused the connection".to_owned(),
            Some(Fault::Other(text)) => format!("is cut off: {text}"),
        };
        Self::new(
            session::G004,
            format!(
                "{} {how} in state {state} without a NOTIFICATION",
                config.remote
            ),
            "see the router's log; it may not know this node as a neighbor, or have been restarted",
        )
    }

    /// The peer took the connection, but sends no OPEN.
    pub(crate) fn silent(config: &PeerConfig) -> Self {
        Self::new(
            session::G006,
            format!(
                "{} accepted the connection and sends no OPEN",
                config.remote
            ),
            "check that what listens on this port is BGP and has this node as a neighbor",
        )
    }

    /// Nothing came for the hold time.
    pub(crate) fn hold_expired(config: &PeerConfig, hold: Duration) -> Self {
        Self::new(
            session::G007,
            format!(
                "{} sent nothing for the hold time of {} s",
                config.remote,
                hold.as_secs()
            ),
            "check the link and the load of the router; raise holdTime if it is short",
        )
    }

    /// The OPEN came from another AS.
    pub(crate) fn wrong_asn(config: &PeerConfig, got: Asn) -> Self {
        Self::new(
            session::G008,
            format!(
                "{} says it is AS {got}, but peerASN is {}",
                config.remote, config.peer_asn
            ),
            "correct peerASN, or the AS of the router",
        )
    }

    /// The OPEN shows our own identifier.
    pub(crate) fn same_router_id(config: &PeerConfig, router_id: RouterId) -> Self {
        Self::new(
            session::G009,
            format!("{} shows our own BGP Identifier {router_id}", config.remote),
            "give the router, or routerID, an identifier of its own",
        )
    }

    /// A message that ends the session.
    pub(crate) fn of_reset(config: &PeerConfig, reset: &SessionReset) -> Self {
        let (remote, cause) = (config.remote, reset.cause);
        let open = |code, remedy| Self::new(code, format!("OPEN of {remote}: {cause}"), remedy);
        match reset.notification.code {
            ErrorCode::Open(OpenError::UnsupportedVersionNumber) => {
                open(session::G022, "configure BGP-4 on the router")
            }
            ErrorCode::Open(OpenError::BadPeerAs) => {
                open(session::G008, "give the router an AS number")
            }
            ErrorCode::Open(OpenError::BadBgpIdentifier) => {
                open(session::G009, "give the router an identifier")
            }
            ErrorCode::Open(OpenError::UnacceptableHoldTime) => open(
                session::G010,
                "configure a hold time of zero, or of three seconds or more, on the router",
            ),
            _ => Self::new(
                session::G014,
                format!("{remote} sent a malformed message: {cause}"),
                "update the router's software, or report this with a packet capture",
            ),
        }
    }

    /// The two sides have no address family in common.
    pub(crate) fn no_family(config: &PeerConfig) -> Self {
        let ours: Vec<_> = config.families().map(|family| family.to_string()).collect();
        Self::new(
            session::G011,
            format!(
                "{} does not offer {} unicast",
                config.remote,
                ours.join(" or ")
            ),
            "activate the address family for this neighbor on the router",
        )
    }

    /// One of two configured families is missing.
    pub(crate) fn family_missing(config: &PeerConfig, family: Family) -> Self {
        Self::new(
            session::G012,
            format!(
                "{} does not offer {family} unicast: no {family} route is sent",
                config.remote
            ),
            format!("activate {family} for this neighbor on the router"),
        )
    }

    /// The peer ended it.
    pub(crate) fn notified(config: &PeerConfig, notification: &Notification) -> Self {
        Self::new(
            session::G013,
            format!("{} ended the session: {notification}", config.remote),
            "see the router's log and its configuration of this neighbor",
        )
    }

    /// The kernel chose another source address.
    pub(crate) fn source_absent(source: IpAddr, used: IpAddr) -> Self {
        Self::new(
            session::G015,
            format!("this node has no address {source}; {used} is used instead"),
            "add the address to the node, or correct sourceAddress or the peer's nodeSelectors",
        )
    }

    /// Routes of a family cannot be sent.
    pub(crate) fn no_next_hop(family: Family) -> Self {
        Self::new(
            session::G016,
            format!(
                "this node has no {family} address on the interface of the session to serve as the \
                 next hop: {family} routes are held back"
            ),
            format!("give the interface a global {family} address"),
        )
    }

    /// Two connections, one too many.
    pub(crate) fn collision() -> Self {
        Self::new(
            session::G017,
            "the other connection with the peer is kept",
            "nothing to do",
        )
    }

    /// A field was changed that needs a new session.
    pub(crate) fn changed(field: Field) -> Self {
        Self::new(
            session::G018,
            format!("{} was changed", field.name()),
            "nothing to do",
        )
    }

    /// A field was changed while the session was not up.
    pub(crate) fn changed_before_up() -> Self {
        Self::new(
            session::G018,
            "the peer's configuration was changed",
            "nothing to do",
        )
    }

    /// We are going down.
    pub(crate) fn shut_down() -> Self {
        Self::new(
            session::G019,
            "this speaker is shutting down",
            "nothing to do",
        )
    }

    /// The peer takes no bytes.
    pub(crate) fn stopped_reading(config: &PeerConfig) -> Self {
        Self::new(
            session::G020,
            format!("{} keeps the session up but reads nothing", config.remote),
            "check the load of the router; it does not process what it is sent",
        )
    }

    /// Routes that fit no message.
    pub(crate) fn too_large(count: usize) -> Self {
        Self::new(
            session::G021,
            format!("{count} routes have too many communities to fit a message"),
            "name fewer communities in the BGPAdvertisements of these routes",
        )
    }

    /// A message at the wrong time.
    pub(crate) fn unexpected(config: &PeerConfig, message: &str, state: &str) -> Self {
        Self::new(
            session::G023,
            format!("{} sent {message} in state {state}", config.remote),
            "update the router's software, or report this with a packet capture",
        )
    }

    /// The peer is no longer configured.
    pub(crate) fn removed() -> Self {
        Self::new(
            session::G025,
            "the peer is no longer configured on this node",
            "nothing to do",
        )
    }
}

/// What else may be in the way of an external peer, after `or`: unless `ebgpMultiHop` is set, the TTL is 1, and
/// packets end at the first router without a word to whoever looks for the cause.
fn far(config: &PeerConfig, or: &str) -> String {
    if config.is_internal() || config.ebgp_multihop {
        return String::new();
    }
    format!("{or} it is more than one hop away, which takes ebgpMultiHop: true")
}
