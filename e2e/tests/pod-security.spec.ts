// What Rampart predicts of Pod Security Admission is what the API server says to a dry run: whether, and in which words.

import { DryRuns, pods, predict, type Answer, type Asked, type KubernetesObject } from '../support/admission.ts';
import { expect, test } from '../support/test.ts';

const cluster = 'unhardened';
const podsIn = [await pods(), await pods('pod-security.yaml')];

/** Levels at versions where what they forbid changed, and labels that enforce nothing. */
const namespaces: { name: string; labels: Record<string, string> }[] = [
  { name: 'psa-none', labels: {} },
  { name: 'psa-warned', labels: { 'pod-security.kubernetes.io/warn': 'restricted', 'pod-security.kubernetes.io/audit': 'baseline' } },
  { name: 'psa-privileged', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
  { name: 'psa-baseline', labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
  { name: 'psa-restricted', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  ...['baseline', 'restricted'].flatMap((level) =>
    ['v1.0', 'v1.18', 'v1.22', 'v1.24', 'v1.29', 'v1.33', 'v1.34', 'v1.35', 'v1.99'].map((version) => ({
      name: `psa-${level}-${version.replace('.', '-')}`,
      labels: { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/enforce-version': version },
    })),
  ),
];

test('the prediction for each pod at each level and version is the API server\'s answer', async ({ clusters }) => {
  test.setTimeout(600_000);
  const names = namespaces.map(({ name }) => name);
  const spaces = namespaces.map(({ name, labels }): KubernetesObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
  try {
    await clusters.kubectl(cluster, ['create', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: spaces }));
    // Pods are refused where the account of their namespace is not there yet.
    await expect
      .poll(
        async () => {
          const { items } = await clusters.kubectlJson<{ items: KubernetesObject[] }>(cluster, [
            'get', 'serviceaccounts', '--all-namespaces', '--field-selector=metadata.name=default', '--output=json',
          ]);
          const there = items.map(({ metadata }) => metadata.namespace);
          return names.filter((name) => !there.includes(name));
        },
        { timeout: 30_000 },
      )
      .toEqual([]);
    const dryRuns = await DryRuns.of(clusters, cluster);
    const requests = names.flatMap((namespace) =>
      podsIn.flatMap((of) => of(namespace)).map((object): Asked => ({ operation: 'CREATE', resource: 'pods', namespace, object })),
    );
    const answers: Answer[] = [];
    for (const { namespace, object } of requests) answers.push(await dryRuns.create(`/api/v1/namespaces/${namespace}/pods`, object));

    const { gitVersion } = await clusters.kubectlJson<{ gitVersion: string }>(cluster, ['get', '--raw', '/version']);
    const live = await clusters.kubectlJson<{ items: unknown[] }>(cluster, ['get', 'namespaces', '--output=json']);
    const world = { policies: [], bindings: [], params: [], namespaces: live.items, userInfo: null, version: gitVersion };
    const { answers: predictions } = await predict(world, requests);

    const told = (said: string[]) => requests.map(({ namespace, object }, index) => ({ pod: `${namespace}/${(object as KubernetesObject).metadata.name}`, said: said[index] }));
    const words = ({ message }: Answer) => message.slice(Math.max(message.indexOf('violates PodSecurity'), 0));
    expect(told(predictions.map(({ podSecurity }) => podSecurity ?? ''))).toEqual(told(answers.map(words)));

    // Both answers at either level, and a version that makes a difference.
    expect(requests.length).toBeGreaterThanOrEqual(400);
    const refused = (namespace: string) =>
      requests.flatMap((asked, index) =>
        asked.namespace === namespace && answers[index]!.refused ? [(asked.object as KubernetesObject).metadata.name] : [],
      );
    for (const none of ['psa-none', 'psa-warned', 'psa-privileged']) expect(refused(none)).toEqual([]);
    expect(refused('psa-baseline')).toContain('unconfined');
    expect(refused('psa-baseline')).not.toContain('no-seccomp-profile');
    expect(refused('psa-restricted')).toContain('no-seccomp-profile');
    expect(refused('psa-restricted')).not.toContain('restricted-from-the-pod');
    expect(refused('psa-restricted-v1-18')).not.toContain('no-seccomp-profile');
    expect(refused('psa-restricted-v1-34')).toContain('root-in-a-user-namespace');
    expect(refused('psa-restricted-v1-35')).not.toContain('root-in-a-user-namespace');
    expect(refused('psa-baseline-v1-33')).not.toContain('probe-of-another-host');
    expect(refused('psa-baseline-v1-34')).toContain('probe-of-another-host');
  } finally {
    await clusters.kubectl(cluster, ['delete', 'namespaces', '--ignore-not-found', '--timeout=120s', ...names]);
  }
});
