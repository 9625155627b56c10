// SPDX-License-Identifier: Apache-2.0
//! What FerroLB reads from an API server and writes to it.
