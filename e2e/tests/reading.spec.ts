// What Rampart read, told to the cluster's owner, and what would close the gaps.

import { parse } from 'yaml';
import { evaluateNow, openItem } from '../support/dashboard.ts';
import { without, type PolicyRule } from '../support/grants.ts';
import { expect, test } from '../support/test.ts';

type KindReading = { kind: string; verb: string; path: string; objects: number; pages: number; refused: boolean };

test('the page of a cluster leads to what was read: every kind with its verb and path, nothing written, no Secret', async ({ page, serve }) => {
  const { address, api } = await serve([{ name: 'hardened' }]);
  await page.goto(`${address}/clusters/hardened`);
  await page.getByRole('link', { name: 'What Rampart read' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('What Rampart read from this cluster');
  await expect(page).toHaveURL(`${address}/clusters/hardened/reading`);
  await expect(page).toHaveTitle('hardened: what was read · Rampart');

  const summary = page.getByRole('region', { name: 'Summary' });
  await expect(summary).toContainText('Rampart reads and never writes');
  await expect(summary).toContainText('It never reads a Secret.');

  const { kinds } = await api.get<{ kinds: KindReading[] }>('/clusters/hardened/reading');
  // The one `create` asks what the account may do; the API server stores nothing of it.
  expect(kinds.filter(({ verb }) => !['get', 'list'].includes(verb)).map(({ kind }) => kind)).toEqual(
    kinds.some(({ verb }) => verb === 'create') ? ['selfsubjectaccessreviews.authorization.k8s.io'] : [],
  );
  expect(kinds.map(({ path }) => path).filter((path) => path.endsWith('/secrets'))).toEqual([]);
  const rows = page.getByRole('region', { name: 'Table of kinds' }).locator('tbody').getByRole('row');
  await expect(rows).toHaveCount(kinds.length);
  const pods = kinds.find(({ kind }) => kind === 'pods')!;
  expect(pods).toMatchObject({ verb: 'list', path: '/api/v1/pods', refused: false });
  const row = rows.filter({ has: page.getByRole('rowheader', { name: 'pods', exact: true }) });
  await expect(row).toContainText(/whole.*list.*\/api\/v1\/pods/);
  await expect(row.getByRole('cell').nth(1)).toHaveText(pods.objects.toLocaleString('en'));
  await expect(page.getByRole('region', { name: 'Refused' })).toHaveCount(0);
});

test('a refused kind comes with the rule that closes the gap, which is copied with the keyboard and closes it', async ({ page, clusters, serve }) => {
  const cluster = 'hardened';
  const { address } = await serve([{ name: cluster }]);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const copied = async (region: string): Promise<PolicyRule[]> => {
    const gap = page.getByRole('region', { name: region });
    await gap.getByRole('button', { name: 'Copy the RBAC rule: pods', exact: true }).focus();
    await page.keyboard.press('Enter');
    await expect(gap.getByRole('status', { name: 'Copying' }).first()).toHaveText('Copied');
    return parse(`rules:\n${await page.evaluate(() => navigator.clipboard.readText())}`).rules;
  };

  await without(clusters, cluster, 'pods', async () => {
    await page.goto(`${address}/clusters/${cluster}/reading`);
    await evaluateNow(page, /Evaluated in part/);
    const rule = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }];
    expect(await copied('Refused')).toEqual(rule);
    const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'pods', exact: true }) });
    await expect(row).toContainText('refused');

    await openItem(page, address, cluster, 'etcd-tls');
    expect(await copied('Not seen')).toEqual(rule);
  });
  await page.goto(`${address}/clusters/${cluster}/reading`);
  await evaluateNow(page, /Evaluated/);
  await expect(page.getByRole('region', { name: 'Refused' })).toHaveCount(0);
});
