// SPDX-License-Identifier: Apache-2.0
//! Area `G`: why a BGP session is not established, or why a route is not sent on it.

codes! {
    G001 "connection refused"
    G002 "connection attempt timed out"
    G003 "peer unreachable"
    G004 "connection closed by the peer"
    G005 "connection failed"
    G006 "the peer accepts the connection and says nothing"
    G007 "hold timer expired"
    G008 "the peer's AS is not the one expected"
    G009 "unusable BGP Identifier"
    G010 "unacceptable hold time"
    G011 "no address family in common"
    G012 "address family missing at the peer"
    G013 "NOTIFICATION received"
    G014 "malformed message received"
    G015 "source address absent on this host"
    G016 "no next hop for an address family"
    G017 "connection collision"
    G018 "configuration changed"
    G019 "administrative shutdown"
    G020 "the peer stopped reading"
    G021 "route too large for a message"
    G022 "unsupported BGP version"
    G023 "message not expected in this state"
    G025 "peer removed"
}
