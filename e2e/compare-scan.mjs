// Judges manifests for items 12, 13 and 14 apart from Rampart, with another parser, and compares names and numbers
// with `rampart scan --assume-complete` as JSON and as table. For manifests: no pod has an owner here.
// Usage: node compare-scan.mjs SCAN.json TABLE.txt FOLDER
import { readFileSync, readdirSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments } from "yaml";

const [json, table, folder] = process.argv.slice(2);
const paths = { Pod: ["spec"], CronJob: ["spec", "jobTemplate", "spec", "template", "spec"] };
for (const kind of ["Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"]) paths[kind] = ["spec", "template", "spec"];
const system = ["kube-system", "kube-public", "kube-node-lease"];
const confines = (profile) => ["RuntimeDefault", "Localhost"].includes(profile?.type);
const annotated = (value) => value && { type: { unconfined: "Unconfined", "runtime/default": "RuntimeDefault" }[value] ?? "Localhost" };
const rules = {
  "read-only-root-filesystem": (c) => [c.readOnlyRootFilesystem !== true && "readOnlyRootFilesystem"],
  "non-root-containers": (c, p) => [
    (c.runAsNonRoot ?? p.runAsNonRoot) !== true && "runAsNonRoot",
    (c.runAsUser ?? p.runAsUser) === 0 && "runAsUser",
  ],
  "seccomp-apparmor": (c, p, note) => {
    const seccomp = c.seccompProfile ?? p.seccompProfile;
    const apparmor = c.appArmorProfile ?? annotated(note) ?? p.appArmorProfile;
    const bad = [
      c.privileged === true && "privileged",
      seccomp?.type === "Unconfined" && "seccompProfile.type",
      apparmor?.type === "Unconfined" && "appArmorProfile.type",
    ].filter(Boolean);
    return bad.length || confines(seccomp) || confines(apparmor) ? bad : ["seccompProfile"];
  },
};
const ours = Object.fromEntries(Object.keys(rules).map((id) => [id, { examined: 0, violating: 0, findings: [] }]));
const files = readdirSync(folder, { recursive: true }).filter((name) => /\.(ya?ml|json)$/.test(name));
for (const { kind, metadata, spec } of files.flatMap((file) =>
  parseAllDocuments(readFileSync(`${folder}/${file}`, "utf8"), { version: "1.1" }).map((d) => d.toJS() ?? {}))) {
  if (!paths[kind]) continue;
  const owner = paths[kind].slice(0, -1).reduce((at, field) => at[field], { spec });
  const pod = owner.spec, notes = (kind === "Pod" ? metadata : owner.metadata)?.annotations ?? {};
  const namespace = metadata.namespace ?? "default", decides = !system.includes(namespace);
  if (pod.os?.name === "windows" || pod.hostUsers === false) throw new Error(`${metadata.name} needs a person`);
  for (const field of ["initContainers", "containers"]) for (const container of pod[field] ?? []) {
    for (const [id, rule] of Object.entries(rules)) {
      const note = notes[`container.apparmor.security.beta.kubernetes.io/${container.name}`];
      const bad = rule(container.securityContext ?? {}, pod.securityContext ?? {}, note).filter(Boolean);
      ours[id].examined += decides;
      ours[id].violating += decides && bad.length > 0;
      const at = `${paths[kind].join(".")}.${field}[name=${container.name}].securityContext`;
      ours[id].findings.push(...bad.map((name) => `${namespace} ${kind} ${metadata.name} ${at}.${name}`));
    }
  }
}
const text = readFileSync(table, "utf8");
for (const item of JSON.parse(readFileSync(json, "utf8")).clusters[0].items.filter(({ id }) => rules[id])) {
  const findings = item.findings.map(({ subject: s, path }) => `${s.namespace} ${s.kind} ${s.name} ${path}`).sort();
  const theirs = { examined: item.examined, violating: item.violating, findings };
  ours[item.id].findings.sort();
  if (!isDeepStrictEqual(theirs, ours[item.id])) throw new Error(JSON.stringify({ theirs, ours: ours[item.id] }, null, 1));
  const row = new RegExp(`${item.id}\\s+${item.violating}\\s+${item.examined}\\s+container`);
  if (!row.test(text)) throw new Error(`${item.id}: not so in the table`);
  console.log(`${item.id}: ${item.violating} of ${item.examined} containers, ${findings.length} findings: agreed`);
}
