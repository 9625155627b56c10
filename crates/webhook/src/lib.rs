// SPDX-License-Identifier: Apache-2.0
//! Admission, conversion and the certificates of the webhooks, as plain functions.
