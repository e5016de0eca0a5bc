// Taking grants away from Rampart's account and giving them back.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterName, TestClusters } from './clusters.ts';

export type PolicyRule = {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
};

const role = 'rampart';
const account = 'system:serviceaccount:rampart:rampart';

/** The rules of the ClusterRole that `rampart rbac` printed, as the cluster has them. */
export async function rules(clusters: TestClusters, cluster: ClusterName): Promise<PolicyRule[]> {
  const object = await clusters.kubectlJson<{ rules: PolicyRule[] }>(cluster, ['get', 'clusterrole', role, '--output=json']);
  return object.rules;
}

/** What a rule is about, as kubectl names it: `deployments.apps`; each is about one resource, or about URLs. */
export function subjectOf({ apiGroups, resources, nonResourceURLs }: PolicyRule): string {
  if (nonResourceURLs) return nonResourceURLs.join();
  return [resources!.join(), ...apiGroups!.filter(Boolean)].join('.');
}

/** Does something while the ClusterRole lacks the rules about these; afterwards it has all of them again. */
export async function without<T>(
  clusters: TestClusters,
  cluster: ClusterName,
  missing: string | string[],
  during: () => Promise<T>,
): Promise<T> {
  const all = await rules(clusters, cluster);
  const gone = [missing].flat().map((subject) => {
    const rule = all.find((rule) => subjectOf(rule) === subject);
    if (!rule) throw new Error(`the ClusterRole has no rule about ${subject}: ${all.map(subjectOf).join(', ')}`);
    return rule;
  });
  // The API server hears of all of a role at once, so that one rule tells of the others.
  const last = gone.at(-1)!;
  try {
    await replace(clusters, cluster, all.filter((rule) => !gone.includes(rule)));
    await untilAllowed(clusters, cluster, last, false);
    return await during();
  } finally {
    await replace(clusters, cluster, all);
    await untilAllowed(clusters, cluster, last, true);
  }
}

async function replace(clusters: TestClusters, cluster: ClusterName, rules: PolicyRule[]): Promise<void> {
  const object = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: role }, rules };
  await clusters.kubectl(cluster, ['replace', '--filename=-'], JSON.stringify(object));
}

/** The API server hears of a changed role a moment later. */
async function untilAllowed(clusters: TestClusters, cluster: ClusterName, rule: PolicyRule, allowed: boolean): Promise<void> {
  const [name = '', subresource = ''] = (rule.resources?.[0] ?? '').split('/');
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: account,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:rampart', 'system:authenticated'],
      ...(rule.nonResourceURLs
        ? { nonResourceAttributes: { path: rule.nonResourceURLs[0], verb: rule.verbs[0] } }
        : {
            resourceAttributes: {
              group: rule.apiGroups?.[0] ?? '',
              resource: name,
              subresource,
              verb: rule.verbs[0],
              name: rule.resourceNames?.[0] ?? '',
            },
          }),
    },
  };
  for (const deadline = Date.now() + 10_000; ; await sleep(50)) {
    const answer = await clusters.kubectlJson<{ status: { allowed: boolean } }>(
      cluster,
      ['create', '--output=json', '--filename=-'],
      JSON.stringify(review),
    );
    if (answer.status.allowed === allowed) return;
    if (Date.now() > deadline) throw new Error(`${subjectOf(rule)} on ${cluster} is still ${allowed ? 'refused' : 'allowed'} after 10 s`);
  }
}
