// Taking grants away from Rampart's account and giving them back.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterName, TestClusters } from './clusters.ts';

export type PolicyRule = { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] };

const role = 'rampart';
const account = 'system:serviceaccount:rampart:rampart';

/** The rules of the ClusterRole that `rampart rbac` printed, as the cluster has them. */
export async function rules(clusters: TestClusters, cluster: ClusterName): Promise<PolicyRule[]> {
  const object = await clusters.kubectlJson<{ rules: PolicyRule[] }>(cluster, ['get', 'clusterrole', role, '--output=json']);
  return object.rules;
}

/** What a rule is about; each is about one resource. */
export function resource(rule: PolicyRule): string {
  return rule.resources.join();
}

/** Does something while the ClusterRole lacks the rule about this resource; afterwards it has all of them again. */
export async function without<T>(clusters: TestClusters, cluster: ClusterName, missing: string, during: () => Promise<T>): Promise<T> {
  const all = await rules(clusters, cluster);
  const rule = all.find((rule) => resource(rule) === missing);
  if (!rule) throw new Error(`the ClusterRole has no rule about ${missing}: ${all.map(resource).join(', ')}`);
  try {
    await replace(clusters, cluster, all.filter((other) => other !== rule));
    await untilAllowed(clusters, cluster, rule, false);
    return await during();
  } finally {
    await replace(clusters, cluster, all);
    await untilAllowed(clusters, cluster, rule, true);
  }
}

async function replace(clusters: TestClusters, cluster: ClusterName, rules: PolicyRule[]): Promise<void> {
  const object = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: role }, rules };
  await clusters.kubectl(cluster, ['replace', '--filename=-'], JSON.stringify(object));
}

/** The API server hears of a changed role a moment later. */
async function untilAllowed(clusters: TestClusters, cluster: ClusterName, rule: PolicyRule, allowed: boolean): Promise<void> {
  const [name = '', subresource = ''] = resource(rule).split('/');
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: account,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:rampart', 'system:authenticated'],
      resourceAttributes: {
        group: rule.apiGroups[0],
        resource: name,
        subresource,
        verb: rule.verbs[0],
        name: rule.resourceNames?.[0] ?? '',
      },
    },
  };
  for (const deadline = Date.now() + 10_000; ; await sleep(50)) {
    const answer = await clusters.kubectlJson<{ status: { allowed: boolean } }>(
      cluster,
      ['create', '--output=json', '--filename=-'],
      JSON.stringify(review),
    );
    if (answer.status.allowed === allowed) return;
    if (Date.now() > deadline) throw new Error(`${resource(rule)} on ${cluster} is still ${allowed ? 'refused' : 'allowed'} after 10 s`);
  }
}
