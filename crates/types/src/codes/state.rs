// SPDX-License-Identifier: Apache-2.0
//! Area `T`: the state directory of the folder source, and what an API server can be asked for.

codes! {
    T001 "the state file is damaged and its previous generation is used"
    T002 "the state file and its previous generation are damaged: allocation waits"
    T003 "another controller holds the state directory"
    T004 "the state directory cannot be read or written"
    T005 "the last good versions of manifests cannot be read"
    T006 "a kind cannot be followed at the API server"
    T007 "the CustomResourceDefinition of a kind is not installed"
    T008 "the status of a Service cannot be written"
    T009 "the Secret for the memberlist of MetalLB's speakers cannot be made"
}
