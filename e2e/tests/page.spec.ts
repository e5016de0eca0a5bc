// The page itself: for everyone, on every screen, and closed to what is not its own.

import { request as plainRequest } from 'node:http';
import type { Page } from '@playwright/test';
import { expectAccessible } from '../support/accessibility.ts';
import { cells, each, openItem, row } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

const pages = [
  { name: 'overview', path: '/', heading: 'Fleet' },
  { name: 'cluster', path: '/clusters/unhardened', heading: 'unhardened' },
  { name: 'item', path: '/clusters/unhardened/items/default-deny', heading: 'Every application namespace denies traffic by default' },
  { name: 'reading', path: '/clusters/unhardened/reading', heading: 'What Rampart read from this cluster' },
  { name: 'runs', path: '/runs', heading: 'Runs' },
] as const;

test('accessibility: axe finds nothing on any page in either theme, and no page scrolls sideways on a phone', async ({ page, serve }) => {
  const { address } = await serve([{ name: 'hardened' }, { name: 'unhardened' }]);
  for (const { name, path, heading } of pages) {
    await page.goto(address + path);
    await test.step(name, async () => {
      await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
      await expect(page.getByText('Loading')).toHaveCount(0);
      await expectAccessible(page);
    });
    await test.step(`${name}, 360 px wide`, async () => {
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      await page.setViewportSize({ width: 1280, height: 720 });
    });
  }
});

test('a theme that was chosen holds on the next visit, and the system decides where none was', async ({ page, serve }) => {
  const { address } = await serve([{ name: 'hardened' }]);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(address);
  const dark = await background();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await background();
  expect(light).not.toBe(dark);

  await page.getByRole('combobox', { name: 'Theme' }).selectOption('dark');
  expect(await background()).toBe(dark);
  await page.reload();
  expect(await background()).toBe(dark);
});

test('the keyboard reaches everything: skip link, cells, and the heading of the page that was gone to', async ({ page, serve }) => {
  const { address } = await serve([{ name: 'hardened' }, { name: 'unhardened' }]);
  await page.goto(address);
  await expect.poll(() => cells(page, 'hardened')).toEqual(each('holds'));

  const cell = row(page, 'unhardened').getByRole('link', { name: 'unhardened, Default deny: ' });
  await tabTo(page, 'unhardened, Default deny: falls short, 3 findings');
  await expect(cell).toBeFocused();
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { level: 1 });
  await expect(heading).toHaveText('Every application namespace denies traffic by default');
  await expect(heading).toBeFocused();
  await expect(page).toHaveTitle('unhardened: Default deny · Rampart');
  await expect(page.getByRole('status', { name: 'Page' })).toHaveText('unhardened: Default deny');

  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeFocused();

  await page.goForward();
  await expect(heading).toHaveText('Every application namespace denies traffic by default');
  await page.reload();
  await expect(page.getByRole('region', { name: 'Table of findings' })).toBeVisible();
  // A page that was opened and not gone to is announced by the browser itself.
  await expect(page.locator('body')).toBeFocused();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the content' });
  await expect(skip).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#content')).toBeFocused();
});

test('the whole page is at most 250 KiB, compressed with brotli, and its parts are kept for good', async ({ page, serve }) => {
  const { address } = await serve([{ name: 'hardened' }]);
  const files: Promise<{ path: string; bytes: number; encoding: string | null; caching: string | null }>[] = [];
  page.on('requestfinished', (request) => {
    const { pathname: path } = new URL(request.url());
    if (path.startsWith('/api/')) return;
    files.push(
      (async () => {
        const response = (await request.response())!;
        const { responseBodySize: bytes } = await request.sizes();
        return { path, bytes, encoding: await response.headerValue('content-encoding'), caching: await response.headerValue('cache-control') };
      })(),
    );
  });
  await page.goto(address);
  await expect.poll(() => cells(page, 'hardened')).toEqual(each('holds'));
  const loaded = await Promise.all(files);

  for (const { path, encoding, caching } of loaded) {
    if (/\.(js|css|wasm)$/.test(path)) expect(encoding, path).toBe('br');
    expect(caching, path).toBe(path === '/' ? 'no-cache' : 'public, max-age=31536000, immutable');
    if (path !== '/') expect(path).toMatch(/\.[0-9a-f]{8,}\./);
  }
  expect(loaded.some(({ path }) => path.endsWith('.wasm'))).toBe(true);
  const total = loaded.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(total, JSON.stringify(loaded, null, 2)).toBeGreaterThan(50_000);
  expect(total, JSON.stringify(loaded, null, 2)).toBeLessThanOrEqual(250 * 1024);
});

test('every answer carries the headers that protect the page', async ({ serve }) => {
  const { address } = await serve([{ name: 'hardened' }]);
  for (const path of ['/', '/clusters/hardened', '/api/v1/overview', '/api/v1/nothing', '/favicon.ico']) {
    const { headers } = await fetch(address + path);
    expect(Object.fromEntries(headers), path).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; " +
        "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  }
  const missing = await fetch(`${address}/api/v1/nothing`);
  expect(missing.status).toBe(404);
  expect(missing.headers.get('content-type')).toBe('application/problem+json');
  expect(await missing.json()).toMatchObject({ type: 'about:blank', status: 404 });
});

test('another host name and another site are refused', async ({ serve }) => {
  const { address, api } = await serve([{ name: 'hardened' }]);
  const { port } = new URL(address);
  const runs = await api.runs('hardened');
  const evaluate = '/api/v1/clusters/hardened/evaluate';

  expect(await ask(address, 'GET', '/', { host: `localhost:${port}` })).toBe(200);
  expect(await ask(address, 'GET', '/', { host: 'rebound.example:80' })).toBe(421);
  expect(await ask(address, 'GET', '/api/v1/overview', { host: `rebound.example:${port}` })).toBe(421);
  expect(await ask(address, 'POST', evaluate, { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' })).toBe(403);
  expect(await ask(address, 'POST', evaluate, { origin: 'https://elsewhere.example' })).toBe(403);
  expect((await api.clusters()).find(({ name }) => name === 'hardened')!.running).toBeNull();
  expect(await api.runs('hardened')).toEqual(runs);
});

test('an address that leads nowhere says so', async ({ page, serve }) => {
  const { address } = await serve([{ name: 'hardened' }]);
  await page.goto(`${address}/nowhere/at/all`);
  await expect(page.getByRole('heading', { level: 1, name: 'Page not found' })).toBeVisible();
  await page.goto(`${address}/clusters/hardened/items/nothing`);
  await expect(page.getByRole('heading', { level: 1, name: 'Item not found' })).toBeVisible();
  await openItem(page, address, 'hardened', 'etcd-tls');
  await expect(page.getByText('Nothing falls short, so there is nothing to change.')).toBeVisible();
});

/** Presses Tab until something with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))) === name) return;
  }
  throw new Error(`80 times Tab did not reach ${name}`);
}

/** The status of a request with headers that `fetch` would not send. */
function ask(address: string, method: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    plainRequest(address + path, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
