// SPDX-License-Identifier: Apache-2.0
//! MetalLB's file of interfaces that layer 2 leaves alone.

use anyhow::Context as _;
use serde::Deserialize;

use crate::drivers::layer2::Exclude;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "announcedInterfacesToExclude", default)]
    interfaces: Vec<String>,
}

/// Reads `announcedInterfacesToExclude`: a list of regular expressions, one match anywhere is enough.
///
/// # Errors
/// It is not YAML of that form, or an expression cannot be read.
pub fn parse(text: &str) -> anyhow::Result<Exclude> {
    let file: File = serde_saphyr::from_str(text)
        .context("expected `announcedInterfacesToExclude:` with a list of regular expressions")?;
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
