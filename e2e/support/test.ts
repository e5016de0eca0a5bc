// What every test file imports: Playwright's `test` with the clusters, Rampart, and its credentials as fixtures.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { TestClusters } from './clusters.ts';
import { grantRampart } from './credentials.ts';
import { Rampart, type RampartOptions } from './rampart.ts';

export { expect } from '@playwright/test';

type TestFixtures = {
  /** A folder of the test's own, removed after it. */
  folder: string;
  /** Starts a Rampart that stops with the test. */
  startRampart: (args: string[], options?: RampartOptions) => Promise<Rampart>;
};

type WorkerFixtures = {
  /** The two real clusters. They start with the first test that asks for them. */
  clusters: TestClusters;
  /** A kubeconfig with the contexts `hardened` and `unhardened`, allowed exactly what `rampart rbac --kubelets proxy` asks for. */
  rampartKubeconfig: string;
};

export const test = base.extend<TestFixtures, WorkerFixtures>({
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
});

function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'e2e-'));
}
