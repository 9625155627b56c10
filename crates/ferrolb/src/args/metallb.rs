// SPDX-License-Identifier: Apache-2.0
//! The flags and variables of MetalLB that this program takes for its sake. Most it does not need: each of them
//! is checked as MetalLB checks it, and one note in the log says why it has no effect.

use std::net::IpAddr;

use clap::{ArgAction, Args};
use ferrolb_types::{Diagnostic, ObjectRef, codes};

use super::{Refusal, Surroundings, bad_value, missing};

/// Flags of both programs.
#[derive(Clone, Debug, Default, Args)]
pub struct CommonFlags {
    /// No effect: there is no Go profiler here.
    #[arg(long, value_name = "ADDRESS", hide = true)]
    pub pprof_bind_address: Option<String>,
}

/// Flags of the speaker.
#[derive(Clone, Debug, Default, Args)]
pub struct SpeakerOnlyFlags {
    /// No effect, as in MetalLB.
    #[arg(long, value_name = "ADDRESS", hide = true)]
    pub host: Option<String>,
    /// Own address of the heartbeat: beats are received at it and sent from it, and for the other family
    /// still at any and from the InternalIP [env: METALLB_ML_BIND_ADDR; default: at any, from the InternalIP].
    #[arg(long, value_name = "ADDRESS")]
    pub ml_bindaddr: Option<String>,
    /// No effect: see --heartbeat-port.
    #[arg(long, value_name = "PORT", hide = true)]
    pub ml_bindport: Option<String>,
    /// No effect: speakers find each other by their Nodes.
    #[arg(long, value_name = "SELECTOR", hide = true)]
    pub ml_labels: Option<String>,
    /// No effect: the heartbeat is not memberlist's.
    #[arg(long, value_name = "DIR", hide = true)]
    pub ml_secret_key_path: Option<String>,
    /// No effect: the heartbeat is not memberlist's.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true",
          value_parser = super::go::boolean, value_name = "BOOL", hide = true)]
    pub ml_wan_config: bool,
    /// No effect: a change costs no reload, so there is nothing to gather.
    #[arg(long, value_name = "MILLISECONDS", hide = true)]
    pub bgp_debounce_timeout: Option<String>,
    /// No effect: BGP is refused where METALLB_BGP_TYPE is frr-k8s.
    #[arg(long, value_name = "NAME", hide = true)]
    pub frrk8s_namespace: Option<String>,
    /// No effect: BGP is refused where METALLB_BGP_TYPE is frr-k8s.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true",
          value_parser = super::go::boolean, value_name = "BOOL", hide = true)]
    pub frrk8s_secret_passthrough: bool,
}

/// Who speaks BGP: `METALLB_BGP_TYPE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BgpType {
    /// The engine of this process: `native`, `frr`, or the variable unset.
    #[default]
    Own,
    /// FRR-K8s, asked for by `frr-k8s`: BGP is refused, layer 2 works.
    FrrK8s,
}

impl BgpType {
    fn of(around: &Surroundings<'_>, notes: &mut Vec<Diagnostic>) -> Result<Self, Refusal> {
        const NAME: &str = "METALLB_BGP_TYPE";
        let Some(value) = around.variable(NAME) else {
            return Ok(Self::Own);
        };
        match value.as_str() {
            "native" => Ok(Self::Own),
            "frr" => {
                let cause = "this process speaks BGP in place of FRR. BFD, VRFs, graceful restart, \
                             unnumbered peers, dynamicASN and localASN are not there yet: who asks \
                             for one of them is refused with a code of its own";
                notes.push(note_variable(NAME, cause));
                Ok(Self::Own)
            }
            "frr-k8s" => Ok(Self::FrrK8s),
            _ => Err(Box::new(
                Diagnostic::error(
                    codes::command::X010,
                    ObjectRef::new("variable", "", NAME),
                    "it names no BGP mode of MetalLB",
                    "set it to native, frr or frr-k8s, or leave it unset",
                )
                .value(value),
            )),
        }
    }

    /// Why no BGP is spoken, where none is.
    #[must_use]
    pub fn refusal(self) -> Option<Diagnostic> {
        (self == Self::FrrK8s).then(|| {
            Diagnostic::error(
                codes::command::X011,
                ObjectRef::new("variable", "", "METALLB_BGP_TYPE"),
                "no FRRConfiguration is written: no BGP session and no route of this process exist, \
                 while layer 2 works",
                "unset METALLB_BGP_TYPE to speak BGP from this process",
            )
        })
    }
}

impl BgpType {
    /// What a controller has to say of it: speakers of the same manifests speak no BGP.
    pub(super) fn note_of_controller(self) -> Option<Diagnostic> {
        let note = self.refusal()?.warning();
        Some(Diagnostic {
            cause: "this controller assigns all the same, while a speaker under it speaks no BGP"
                .to_owned(),
            remedy: "unset METALLB_BGP_TYPE, here and on the speakers, to have BGP spoken"
                .to_owned(),
            ..note
        })
    }
}

impl CommonFlags {
    pub(super) fn notes(&self, notes: &mut Vec<Diagnostic>) {
        if is_given(self.pprof_bind_address.as_ref()) {
            notes.push(note(
                "--pprof-bind-address",
                "there is no Go profiler in this process",
            ));
        }
    }

    /// Who speaks BGP, of both programs.
    pub(super) fn bgp_type(
        around: &Surroundings<'_>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<BgpType, Refusal> {
        BgpType::of(around, notes)
    }
}

impl SpeakerOnlyFlags {
    /// Checks what MetalLB would refuse, and notes the rest.
    pub(super) fn check(
        &self,
        bgp: BgpType,
        around: &Surroundings<'_>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<(), Refusal> {
        if around.or(self.host.as_ref(), "METALLB_HOST").is_some() {
            notes.push(note("--host", "MetalLB ignores it too"));
        }
        self.check_memberlist(around, notes)?;
        self.check_frr(around, notes)?;
        self.check_frrk8s(bgp, around, notes)
    }

    /// The own address of the heartbeat, where it is not to be found out.
    pub(super) fn bind_address(
        &self,
        around: &Surroundings<'_>,
    ) -> Result<Option<IpAddr>, Refusal> {
        let Some(value) = around.or(self.ml_bindaddr.as_ref(), "METALLB_ML_BIND_ADDR") else {
            return Ok(None);
        };
        let address: IpAddr = value.parse().map_err(|_| {
            let remedy = "give this node's InternalIP, or leave it out";
            bad_value("--ml-bindaddr", &value, "it is no IP address", remedy)
        })?;
        Ok(Some(address.to_canonical()).filter(|address| !address.is_unspecified()))
    }

    fn check_memberlist(
        &self,
        around: &Surroundings<'_>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<(), Refusal> {
        let port = around.or(self.ml_bindport.as_ref(), "METALLB_ML_BIND_PORT");
        if let Some(port) = port.as_ref().filter(|port| port.parse::<u16>().is_err()) {
            return Err(bad_value(
                "--ml-bindport",
                port,
                "it is no port",
                "give a number up to 65535",
            ));
        }
        let flags = [
            (&self.ml_labels, "METALLB_ML_LABELS"),
            (&self.ml_secret_key_path, "METALLB_ML_SECRET_KEY_PATH"),
        ];
        let mut given = flags
            .iter()
            .map(|(flag, variable)| around.or(flag.as_ref(), variable).is_some());
        if given.any(|given| given) || port.is_some() || self.ml_wan_config {
            let cause = "memberlist's protocol is not spoken; who is alive is known by a heartbeat \
                         between the nodes, on the UDP port of --heartbeat-port";
            notes.push(note("--ml-*", cause));
        }
        Ok(())
    }

    fn check_frr(
        &self,
        around: &Surroundings<'_>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<(), Refusal> {
        let debounce = around.or(
            self.bgp_debounce_timeout.as_ref(),
            "METALLB_BGP_DEBOUNCE_TIMEOUT",
        );
        if let Some(value) = debounce {
            if !value.parse::<u64>().is_ok_and(|value| value > 0) {
                let remedy = "give a number of milliseconds from 1 on";
                return Err(bad_value(
                    "--bgp-debounce-timeout",
                    &value,
                    "it is no positive number",
                    remedy,
                ));
            }
            let cause = "a change is one UPDATE and no reload, so there is nothing to gather";
            notes.push(note("--bgp-debounce-timeout", cause));
        }
        for name in [
            "FRR_CONFIG_FILE",
            "FRR_RELOADER_PID_FILE",
            "FRR_LOGGING_LEVEL",
        ] {
            if around.variable(name).is_some() {
                notes.push(note_variable(name, "there is no FRR to be configured"));
            }
        }
        Ok(())
    }

    fn check_frrk8s(
        &self,
        bgp: BgpType,
        around: &Surroundings<'_>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<(), Refusal> {
        let namespace = around.or(self.frrk8s_namespace.as_ref(), "FRRK8S_NAMESPACE");
        let passes = self.frrk8s_secret_passthrough;
        if passes && (bgp != BgpType::FrrK8s || namespace.is_none()) {
            let cause = "it needs METALLB_BGP_TYPE=frr-k8s and --frrk8s-namespace";
            return Err(missing(
                "--frrk8s-secret-passthrough",
                cause,
                "set both, or leave it out",
            ));
        }
        if passes || namespace.is_some() {
            let cause = "no FRRConfiguration is written by this process";
            notes.push(note("--frrk8s-*", cause));
        }
        Ok(())
    }
}

fn is_given(flag: Option<&String>) -> bool {
    flag.is_some_and(|value| !value.is_empty())
}

/// A flag that has no effect, and why.
pub(super) fn note(flag: &'static str, cause: &str) -> Diagnostic {
    let object = ObjectRef::new("flag", "", flag);
    Diagnostic::error(codes::command::X003, object, cause, "leave it out").warning()
}

fn note_variable(name: &'static str, cause: &str) -> Diagnostic {
    let object = ObjectRef::new("variable", "", name);
    Diagnostic::error(codes::command::X003, object, cause, "leave it unset").warning()
}
