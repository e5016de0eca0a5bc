// The configuration that Rampart is started with.

import type { ClusterName } from './clusters.ts';

export type ServedCluster = {
  name: ClusterName;
  /** As in `rampart.toml`; an hour unless stated, so that a test's runs are the first one and those that it asks for. */
  interval?: string;
  /** Whether admission is asked, in dry runs. */
  admissionProbe?: boolean;
  /** The kubeconfig of the identity that tries remediations, whose one context has the cluster's name. */
  dryRunKubeconfig?: string;
};

/** What somebody has said about each cluster: the other one runs images from elsewhere too. */
const trustedRegistries: Record<ClusterName, string[]> = {
  hardened: [
    'docker.io/istio',
    'docker.io/library',
    'ghcr.io/example',
    'ghcr.io/external-secrets',
    'ghcr.io/microsoft/retina',
    'quay.io/prometheus',
    'registry.k8s.io',
  ],
  unhardened: ['ghcr.io/example', 'registry.k8s.io'],
};

/** A `rampart.toml` in which each cluster has the name of its context. */
export function configuration(kubeconfig: string, clusters: ServedCluster[]): string {
  const entries = clusters.map(({ name, interval = '1h', admissionProbe = false, dryRunKubeconfig }) => {
    const settings = { name, context: name, kubeconfig, interval, timeout: '20s', control_plane_metrics: true, admission_probe: admissionProbe };
    const dryRun = dryRunKubeconfig ? `[cluster.remediation_dry_run]\n${keys({ context: name, kubeconfig: dryRunKubeconfig })}\n` : '';
    return `[[cluster]]\n${keys(settings)}\n${dryRun}${parameters('cluster.checklist', name)}`;
  });
  return entries.join('\n');
}

/** A `rampart.toml` for commands that read one cluster, with the same parameters. */
export function commandConfiguration(cluster: ClusterName): string {
  return `control_plane_metrics = true\n${parameters('checklist', cluster)}`;
}

function parameters(table: string, cluster: ClusterName): string {
  return `[${table}.trusted-registries]\n${keys({ allow: trustedRegistries[cluster] })}\n`;
}

/** JSON's strings, numbers and lists are TOML's too. */
function keys(settings: Record<string, unknown>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
    .join('\n');
}
