//! Shares what replicas have in common, so that a cluster's pods fit in memory.

use rampart_checklist::Object;
use rampart_checklist::inventory::{Labels, PodSpec};
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// The pod specs and labels that were seen so far.
#[derive(Debug, Default)]
pub struct Interner {
    specs: HashSet<Arc<PodSpec>>,
    labels: HashSet<Arc<Labels>>,
}

impl Interner {
    /// Replaces what the object has in common with an earlier one by the earlier one's.
    pub fn intern(&mut self, object: &mut Object) {
        match object {
            Object::Pod(pod) => share(&mut self.specs, &mut pod.spec),
            Object::Workload(workload) => {
                share(&mut self.specs, &mut workload.template);
                share(&mut self.labels, &mut workload.template_labels);
            }
            _ => {}
        }
        share(&mut self.labels, &mut object.meta_mut().labels);
    }
}

fn share<T: Eq + Hash>(known: &mut HashSet<Arc<T>>, value: &mut Arc<T>) {
    match known.get(value) {
        Some(earlier) => *value = Arc::clone(earlier),
        None => {
            known.insert(Arc::clone(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_checklist::Kind;

    fn pod(name: &str) -> Object {
        let text = format!(
            r#"{{"metadata":{{"name":"{name}","labels":{{"app":"web"}}}},"spec":{{"nodeName":"{name}","containers":[{{"name":"web","image":"nginx"}}]}}}}"#
        );
        Object::deserialize(Kind::Pods, "", &mut serde_json::Deserializer::from_str(&text)).unwrap()
    }

    #[test]
    fn replicas_share_spec_and_labels() {
        let mut interner = Interner::default();
        let (mut one, mut two) = (pod("a"), pod("b"));
        interner.intern(&mut one);
        interner.intern(&mut two);
        let (Object::Pod(one), Object::Pod(two)) = (one, two) else { panic!("pods") };
        assert!(Arc::ptr_eq(&one.spec, &two.spec));
        assert!(Arc::ptr_eq(&one.meta.labels, &two.meta.labels));
        assert_ne!(one.node_name, two.node_name);
    }
}
