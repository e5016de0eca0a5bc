// The clusters are what they claim to be. Everything that Rampart is later expected to say rests on this file.

import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { clusterNames, type ClusterName } from '../support/clusters.ts';
import { expect, test } from '../support/test.ts';

type Pod = {
  metadata: { name: string; annotations?: Record<string, string>; labels: Record<string, string> };
  spec: { containers: { command: string[] }[] };
};
type Configz = {
  kubeletconfig: {
    authentication: { anonymous: { enabled: boolean }; webhook: { enabled: boolean } };
    authorization: { mode: string };
    readOnlyPort?: number;
  };
};

const mirrorPodAnnotation = 'kubernetes.io/config.mirror';

for (const cluster of clusterNames) {
  test(`${cluster}: each mirror pod's command is the command line of the process that runs`, async ({ clusters }) => {
    const { items: pods } = await clusters.kubectlJson<{ items: Pod[] }>(cluster, [
      'get', 'pods', '--namespace=kube-system', '--selector=tier=control-plane', '--output=json',
    ]);
    const { components } = await clusters.describe(cluster);

    expect(pods.map((pod) => pod.metadata.name).sort()).toEqual([
      'etcd-node-1', 'kube-apiserver-node-1', 'kube-controller-manager-node-1', 'kube-scheduler-node-1',
    ]);
    for (const pod of pods) {
      const component = pod.metadata.labels['component'] ?? '';
      expect(pod.metadata.annotations, pod.metadata.name).toHaveProperty([mirrorPodAnnotation]);
      const process = components[component];
      expect(process, component).toBeDefined();
      expect(pod.spec.containers.map(({ command }) => command), pod.metadata.name).toEqual([await commandLine(process!.pid)]);
    }
  });
}

const good = { anonymous: false, webhook: true, authorization: 'Webhook', readOnlyPort: 0 };

for (const [cluster, node, expected] of [
  ['hardened', 'node-1', good],
  ['hardened', 'node-2', good],
  ['unhardened', 'node-1', good],
  ['unhardened', 'node-2', { anonymous: true, webhook: false, authorization: 'AlwaysAllow', readOnlyPort: 10255 }],
] as const) {
  test(`${cluster}: the node proxy shows how ${node}'s kubelet is configured`, async ({ clusters }) => {
    const { kubeletconfig } = await clusters.kubectlJson<Configz>(cluster, ['get', '--raw', `/api/v1/nodes/${node}/proxy/configz`]);
    expect({
      anonymous: kubeletconfig.authentication.anonymous.enabled,
      webhook: kubeletconfig.authentication.webhook.enabled,
      authorization: kubeletconfig.authorization.mode,
      readOnlyPort: kubeletconfig.readOnlyPort ?? 0,
    }).toEqual(expected);
  });

  test(`${cluster}: ${node}'s kubelet behaves as it is configured`, async ({ clusters }) => {
    const { address, kubeletPort } = (await clusters.describe(cluster)).nodes[node]!;
    // Without credentials: refused at the door, or let in to see every pod.
    expect(await anonymousStatus(`https://${address}:${kubeletPort}/pods`)).toBe(expected.anonymous ? 200 : 401);

    const readOnlyPort = fetch(`http://${address}:10255/pods`).then((response) => response.status);
    if (expected.readOnlyPort === 0) await expect(readOnlyPort).rejects.toThrow();
    else expect(await readOnlyPort).toBe(200);
  });
}

test('only the hardened cluster confines a kubelet to its own node', async ({ clusters }) => {
  for (const [cluster, allowed] of [['hardened', false], ['unhardened', true]] as const) {
    const answer = await clusters.kubectlJson<{ status: { allowed: boolean } }>(
      cluster,
      ['create', '--output=json', '--filename=-'],
      JSON.stringify({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: 'system:node:node-2',
          groups: ['system:nodes'],
          resourceAttributes: { verb: 'get', resource: 'secrets', namespace: 'kube-system', name: 'any' },
        },
      }),
    );
    expect(answer.status.allowed, cluster).toBe(allowed);
  }
});

test('a stopped cluster is unreachable and comes back as it was', async ({ clusters }) => {
  const cluster: ClusterName = 'unhardened';
  const identity = ['get', 'namespace', 'kube-system', '--output=jsonpath={.metadata.uid}'];
  const before = await clusters.describe(cluster);
  const uid = await clusters.kubectl(cluster, identity);
  try {
    const stopped = await clusters.stopCluster(cluster);
    expect(stopped.components['kube-apiserver']).toMatchObject({ running: false });
    expect(stopped.components['etcd']).toMatchObject({ running: true });
    await expect(clusters.kubectl(cluster, identity)).rejects.toThrow(/refused/);
  } finally {
    await clusters.startCluster(cluster);
  }
  const after = await clusters.describe(cluster);
  expect(after.components['kube-apiserver']!.command).toEqual(before.components['kube-apiserver']!.command);
  expect(after.components['kube-apiserver']!.pid).not.toBe(before.components['kube-apiserver']!.pid);
  expect(await clusters.kubectl(cluster, identity)).toBe(uid);
});

/** What the kernel says a process was started with. */
async function commandLine(pid: number): Promise<string[]> {
  const content = await readFile(`/proc/${pid}/cmdline`, 'utf8');
  return content.split('\0').slice(0, -1);
}

/** The status of a GET without credentials. The certificate is not the question here. */
function anonymousStatus(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
