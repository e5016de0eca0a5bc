// The configuration that Rampart is started with.

import type { ClusterName } from './clusters.ts';

export type ServedCluster = {
  name: ClusterName;
  /** As in `rampart.toml`; an hour unless stated, so that a test's runs are the first one and those that it asks for. */
  interval?: string;
};

/** A `rampart.toml` in which each cluster has the name of its context. */
export function configuration(kubeconfig: string, clusters: ServedCluster[]): string {
  // A JSON string is a TOML string.
  const entries = clusters.map(({ name, interval = '1h' }) =>
    Object.entries({ name, context: name, kubeconfig, interval, timeout: '20s' })
      .map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
      .join('\n'),
  );
  return entries.map((entry) => `[[cluster]]\n${entry}\n`).join('\n');
}
