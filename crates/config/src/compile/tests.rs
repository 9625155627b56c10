// SPDX-License-Identifier: Apache-2.0
//! Tests of the rules: a table of them, isolation of faults, conflicts of some nodes, last good
//! versions, and properties.

mod bounds;
mod compiled;
mod isolation;
mod per_node;
mod properties;
mod support;
mod table;
mod table_advertisements;
mod table_peers;
mod table_pools;
