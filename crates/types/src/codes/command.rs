// SPDX-License-Identifier: Apache-2.0
//! Area `X`: the command line and the process.

codes! {
    X001 "a flag is unknown or lacks its value"
    X002 "a flag has a value it does not take"
    X003 "a flag of MetalLB that has no effect here"
    X004 "a path given on the command line cannot be used"
    X005 "no running process answers on the status socket"
    X006 "the object asked for does not exist"
    X007 "a socket that the process needs cannot be opened"
    X008 "flags that exclude each other, or one that needs another"
    X009 "something the process must be told is missing"
    X010 "an environment variable has a value it does not take"
    X011 "BGP is refused: METALLB_BGP_TYPE asks for FRR-K8s"
    X012 "a certificate or its key cannot be used"
    X013 "the ConfigMap bgpextras has no effect"
    X014 "the API server is out of reach, or refuses what the process needs"
}
