// SPDX-License-Identifier: Apache-2.0
//! Area `F`: files and YAML.

codes! {
    F001 "the file cannot be read"
    F002 "the text is not YAML"
    F003 "the document is not a Kubernetes object"
    F004 "unknown kind or API version"
    F005 "the same object is defined twice"
    F006 "kind not used"
    F007 "a key written twice"
    F008 "text or document beyond the limits of size"
    F009 "more faults than are listed"
}
