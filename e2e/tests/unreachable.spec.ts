// A cluster that stops answering.

import { expectAccessible } from '../support/accessibility.ts';
import { itemIds } from '../support/api.ts';
import { cells, each, fact, markDocument, row, sameDocument } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

const cluster = 'hardened';

test('a cluster that stops in the middle is unreachable, then stale without one green cell, and comes back as it was', async ({
  page,
  clusters,
  serve,
}) => {
  test.setTimeout(120_000);
  // Long enough for a run between two due times, short enough for three of them to pass.
  const { address, api } = await serve([{ name: cluster, interval: '3s' }, { name: 'unhardened' }]);
  await page.goto(address);
  await markDocument(page);
  await expect.poll(() => cells(page, cluster)).toEqual(each('holds'));
  const before = { items: await api.items(cluster), findings: await api.findings(cluster) };
  const neighbour = await cells(page, 'unhardened');

  try {
    await clusters.stopCluster(cluster);

    await test.step('the run says that and why it reached nothing; what was known stays', async () => {
      await expect(row(page, cluster)).toContainText('Unreachable');
      const [run] = await api.runs(cluster);
      expect(run).toMatchObject({ kind: 'unreachable', changed: false });
      expect(run!.detail).toContain('10.77.1.1:6443');
      expect(run!.detail).toMatch(/refused/i);
    });

    await test.step('after three intervals no cell is green, and each says what was known last', async () => {
      await expect.poll(() => cells(page, cluster), { timeout: 30_000 }).toEqual(each('unknown, last known: holds'));
      await expect(row(page, cluster)).toContainText('Stale');
      await expect(row(page, cluster)).toContainText('0–100\u00a0%');
      await expect(page.getByText('1 stale')).toBeVisible();
      await expectAccessible(page);
      const [summary] = (await api.clusters()).filter(({ name }) => name === cluster);
      expect(summary).toMatchObject({ freshness: 'stale' });
      expect(summary!.items.map(({ outcome, lastOutcome }) => ({ outcome, lastOutcome }))).toEqual(
        summary!.items.map(() => ({ outcome: 'unknown', lastOutcome: 'pass' })),
      );
      expect(await cells(page, 'unhardened')).toEqual(neighbour);
    });

    await test.step("the cluster's page and its items' pages say so too", async () => {
      await page.getByRole('link', { name: cluster, exact: true }).click();
      const notice = page.getByRole('region', { name: 'State of the cluster' });
      await expect(notice).toContainText('Stale.');
      await expect(notice).toContainText('Unreachable');
      await expect(notice).toContainText('10.77.1.1:6443');
      await expect(notice).toContainText('What is shown is the state of the last run that reached it.');
      await expect(fact(page, 'State')).toHaveText('stale');
      await expect(page.getByText('last known: holds')).toHaveCount(itemIds.length);
      await page.getByRole('link', { name: 'etcd speaks TLS with its clients and peers' }).click();
      await expect(fact(page, 'Outcome')).toContainText('unknown');
      await expect(fact(page, 'Outcome')).toContainText('last known: holds');
    });

    await test.step('the history is intact', async () => {
      expect(await api.findings(cluster)).toEqual(before.findings);
      const items = await api.items(cluster);
      for (const [item, state] of Object.entries(before.items)) {
        expect(items[state.id], item).toMatchObject({ lastOutcome: 'pass', since: state.since, examined: state.examined, gaps: [] });
      }
      const [today] = (await api.trend({ cluster, days: '1' })).slice(-1);
      expect(today).toMatchObject({ counts: { pass: 0, unknown: itemIds.length } });
    });
  } finally {
    await clusters.startCluster(cluster);
  }

  await test.step('started again, it is current, and nothing counts as changed', async () => {
    // A new process has no metric of encrypting until it writes a Secret, and until then nobody knows.
    await clusters.kubectl(cluster, ['annotate', 'secret', '--namespace=payments', 'ledger-database', '--overwrite', 'example.com/written=again']);
    await page.getByRole('link', { name: 'Fleet' }).first().click();
    await expect.poll(() => cells(page, cluster), { timeout: 40_000 }).toEqual(each('holds'));
    await expect(row(page, cluster)).not.toContainText('Unreachable');
    await expect(row(page, cluster)).not.toContainText('Stale');
    const items = await api.items(cluster);
    const ofMetric = 'secret-manager';
    for (const state of Object.values(before.items)) {
      expect(items[state.id]).toMatchObject(state.id === ofMetric ? { outcome: 'pass' } : { outcome: 'pass', since: state.since });
    }
    const kinds = (await api.changes(cluster)).filter(({ item }) => item !== ofMetric).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind !== 'finding_opened')).toEqual([]);
    expect(await sameDocument(page)).toBe(true);
  });
});
