// SPDX-License-Identifier: Apache-2.0
//! Metrics, their text form, and the log.
