// SPDX-License-Identifier: Apache-2.0
//! MetalLB's file of interfaces that layer 2 leaves alone.

use serde::Deserialize;

use crate::drivers::layer2::{Exclude, ExcludeError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "announcedInterfacesToExclude", default)]
    interfaces: Vec<String>,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not of that form.
    #[error("it is not of the form it has in MetalLB: {0}")]
    Form(serde_saphyr::Error),
    /// An expression cannot be read.
    #[error(transparent)]
    Expression(#[from] ExcludeError),
}

impl Fault {
    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Form(_) => {
                "write `announcedInterfacesToExclude:` with a list of regular expressions"
            }
            Self::Expression(_) => "mend the expression, or take it out",
        }
    }
}

/// Reads `announcedInterfacesToExclude`: a list of regular expressions, one match anywhere is enough.
///
/// # Errors
/// It is not YAML of that form, or an expression cannot be read.
pub fn parse(text: &str) -> Result<Exclude, Fault> {
    let file: File = serde_saphyr::from_str(text).map_err(Fault::Form)?;
    Ok(Exclude::parse(file.interfaces)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metallbs_own_file_is_read() {
        let exclude = parse("announcedInterfacesToExclude:\n- ^docker.*\n- ^lo$\n").unwrap();
        assert!(exclude.matches("docker0") && exclude.matches("lo"));
        assert!(!exclude.matches("eth0") && !exclude.matches("xlo"));
    }

    #[test]
    fn faults_name_what_is_wrong() {
        let unknown = parse("announcedInterfaceToExclude: []\n").unwrap_err();
        assert!(
            format!("{unknown:#}").contains("announcedInterfaceToExclude"),
            "{unknown:#}"
        );
        let broken = parse("announcedInterfacesToExclude: ['[']\n").unwrap_err();
        assert!(broken.to_string().contains("\"[\""), "{broken}");
    }
}
