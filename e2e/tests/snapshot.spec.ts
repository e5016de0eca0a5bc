// What `rampart snapshot` keeps of a real cluster, and kubelets that are read at their own port.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clusterNames } from '../support/clusters.ts';
import { rampartRbac } from '../support/credentials.ts';
import { runRampart } from '../support/rampart.ts';
import { expect, test } from '../support/test.ts';

type Item = { id: string; outcome: string; findings: { observed: string }[]; gaps: unknown[] };
type Report = { clusters: { items: Item[] }[] };

const scanned = (stdout: string): Item[] => (JSON.parse(stdout) as Report).clusters[0]!.items;

test('an archive of a cluster gives what the cluster gives, and holds no credential of it', async ({ folder, rampartKubeconfig }) => {
  // One folder, one key: both fingerprint credentials under it.
  const env = { ...process.env, XDG_DATA_HOME: folder };
  const reading = ['--kubeconfig', rampartKubeconfig, '--kubelets', 'proxy', '--control-plane-metrics'];
  const json = ['--format', 'json', '--fail-on', 'never'];
  for (const cluster of clusterNames) {
    const archive = join(folder, `${cluster}.tar.gz`);
    const live = await runRampart(['scan', '--context', cluster, ...reading, ...json], { env });
    const written = await runRampart(['snapshot', '--context', cluster, ...reading, '--output', archive], { env });
    expect(written.code, written.stderr).toBe(0);
    const kept = await runRampart(['scan', archive, ...json], { env });
    expect([live.code, kept.code], kept.stderr).toEqual([0, 0]);
    expect(scanned(live.stdout)).toHaveLength(18);
    expect(JSON.stringify(scanned(kept.stdout))).toBe(JSON.stringify(scanned(live.stdout)));

    const { stdout: content } = await promisify(execFile)('tar', ['-xzOf', archive], { maxBuffer: 64 << 20 });
    expect(content).toContain('"kind":"Pod"');
    for (const secret of ['tr0ub4dor', 'only-in-the-test-cluster']) expect(content).not.toContain(secret);
    const again = await runRampart(['snapshot', '--context', cluster, ...reading, '--output', archive], { env });
    expect(again.code, again.stderr).toBe(2);
  }
});

test('kubelets tell at their own port what they tell through the API server', async ({ clusters, rampartKubeconfig }) => {
  // The namespace of Rampart's accounts was made with it.
  expect(rampartKubeconfig).toBeTruthy();
  // Without the first document: the clusters' ClusterRole has more grants, which other tests need.
  const account = (await rampartRbac(['--kubelets', 'direct'])).split(/^---$/m).slice(1).join('---');
  for (const cluster of clusterNames) {
    await clusters.kubectl(cluster, ['apply', '--filename=-'], account);
    const arguments_ = ['scan', '--kubeconfig', clusters.kubeconfig(cluster), '--context', cluster, '--kubelets', 'direct'];
    const { stdout } = await runRampart([...arguments_, '--format', 'json', '--fail-on', 'never']);
    const kubelets = scanned(stdout).filter(({ id }) => id.startsWith('kubelet-') && id !== 'kubelet-node-restriction');
    const observed = kubelets.map(({ findings }) => findings.map((finding) => finding.observed));
    expect(observed).toEqual(cluster === 'hardened' ? [[], [], []] : [['true'], ['AlwaysAllow'], ['10255']]);
    expect(kubelets.map(({ gaps }) => gaps)).toEqual([[], [], []]);
  }
});
