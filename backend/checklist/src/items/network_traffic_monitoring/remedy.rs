//! What switches on a flow monitor that is there already, or says which to install.

mod remaining;
mod switches;

use crate::recognise::Installed;
use crate::remedy::{Texts, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation};

const TEXTS: Texts = Texts {
    changes: "Switches on a flow monitor of which the programs run already: Hubble in Cilium's configuration, flow logs or \
              Goldmane of Calico, pod-level metrics of Retina, a policy by which Tetragon watches connections. One is \
              enough. Where none of them runs, or one that is installed is not ready, what is to be done stands beside \
              this: a person installs a program, with the commands that are given.",
    may_break: "Agents that are restarted go one node after the other; connections stay. Watching flows costs each node some \
                processor time and memory: look at both on one node first. Metrics by pod can be many series. Where Helm \
                or an operator installed the monitor, its next upgrade puts a changed ConfigMap back: set the same \
                value there too.",
    undo: "Apply the undo file, which puts the former values back and takes out what was added, and restart the agents \
           as the comments say.",
};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let findings: Vec<&Finding> = result.application_findings().collect();
    let mut remediation = remediation(result, TEXTS, Vec::new());
    if findings.is_empty() {
        return remediation;
    }
    let installed = Installed::of(view.inventory);
    // One that works is enough, whatever is the matter with the others.
    remediation.documents = switches::documents(view, &installed, &findings);
    if remediation.documents.is_empty() {
        remediation.documents = switches::calico_operator(&installed, &findings);
        remediation.remaining = remaining::remaining(view, &installed, &findings);
    }
    remediation
}
