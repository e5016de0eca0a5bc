// What every test file imports: Playwright's `test` with the clusters, Rampart, and its credentials as fixtures.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base, type Page } from '@playwright/test';
import { Api } from './api.ts';
import { TestClusters } from './clusters.ts';
import { configuration, type ServedCluster } from './configuration.ts';
import { grantRampart } from './credentials.ts';
import { Rampart, type RampartOptions } from './rampart.ts';

export { expect };

/** A Rampart that evaluates the real clusters. */
export type Served = { rampart: Rampart; address: string; api: Api };

type TestFixtures = {
  /** A folder of the test's own, removed after it. */
  folder: string;
  /** Starts a Rampart that stops with the test. */
  startRampart: (args: string[], options?: RampartOptions) => Promise<Rampart>;
  /** Starts a Rampart with an empty history on these clusters and waits until each was evaluated once. */
  serve: (clusters: ServedCluster[]) => Promise<Served>;
};

type WorkerFixtures = {
  /** Tests that do not leave the clusters as they were name a generation of their own. */
  clusterGeneration: string;
  /** The two real clusters. They start with the first test that asks for them. */
  clusters: TestClusters;
  /** A kubeconfig with the contexts `hardened` and `unhardened`, allowed exactly what `rampart rbac --kubelets proxy --control-plane-metrics` asks for. */
  rampartKubeconfig: string;
  /** The demo. Its ninety days are made once. */
  demo: Rampart;
};

export const test = base.extend<TestFixtures, WorkerFixtures>({
  clusterGeneration: ['shared', { option: true, scope: 'worker' }],

  clusters: [
    async ({}, use) => {
      const folder = await temporaryFolder();
      const clusters = await TestClusters.start(join(folder, 'clusters'));
      try {
        await use(clusters);
      } finally {
        await clusters.end();
        await rm(folder, { recursive: true });
      }
    },
    { scope: 'worker', timeout: 240_000 },
  ],

  rampartKubeconfig: [
    async ({ clusters }, use) => {
      const folder = await temporaryFolder();
      try {
        await use(await grantRampart(clusters, join(folder, 'kubeconfig')));
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  demo: [
    async ({}, use) => {
      const folder = await temporaryFolder();
      const rampart = await Rampart.start(['serve', '--demo', '--listen=127.0.0.1:0', `--data-dir=${folder}`], { readyWithin: 240_000 });
      await use(rampart);
      await rampart.stop();
      await rm(folder, { recursive: true });
    },
    { scope: 'worker', timeout: 260_000 },
  ],

  page: async ({ page }, use) => {
    const complaints = complaintsOf(page);
    await use(page);
    // Nothing is logged as an error, nothing breaks the content security policy, nothing is asked of another server.
    expect(complaints, 'complaints of the browser').toEqual([]);
  },

  folder: async ({}, use) => {
    const folder = await temporaryFolder();
    await use(folder);
    await rm(folder, { recursive: true });
  },

  startRampart: async ({}, use) => {
    const started: Rampart[] = [];
    await use(async (args, options) => {
      const rampart = await Rampart.start(args, options);
      started.push(rampart);
      return rampart;
    });
    await Promise.all(started.map((rampart) => rampart.stop()));
  },

  serve: async ({ rampartKubeconfig, folder, startRampart }, use) => {
    await use(async (clusters) => {
      const file = join(folder, 'rampart.toml');
      await writeFile(file, configuration(rampartKubeconfig, clusters));
      const rampart = await startRampart(['serve', `--config=${file}`, '--listen=127.0.0.1:0', `--data-dir=${join(folder, 'data')}`]);
      const api = new Api(rampart.address);
      await api.evaluated(clusters.map(({ name }) => name));
      return { rampart, address: rampart.address, api };
    });
  },
});

/** Fills up while the page is used. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol === 'http:' && hostname !== '127.0.0.1') complaints.push(`asked of another server: ${request.url()}`);
    if (protocol === 'https:') complaints.push(`asked of another server: ${request.url()}`);
  });
  return complaints;
}

function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'e2e-'));
}
