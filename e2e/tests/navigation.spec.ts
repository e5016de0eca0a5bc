// Going from page to page: links, the history, and the parameters of addresses.

import type { Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { row } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

/** A mark that is gone when the browser loads the page anew. */
const mark = (page: Page) => page.evaluate(() => document.body.setAttribute('data-mark', ''));
const isMarked = (page: Page) => page.evaluate(() => document.body.hasAttribute('data-mark'));
const scrolled = (page: Page) => page.evaluate(() => window.scrollY);

test('links and the history lead from page to page without loading it anew', async ({ page, demo }) => {
  const [{ name }] = (await new Api(demo.address).clusters()) as unknown as [{ name: string }];
  await page.goto(demo.address);
  await expect(row(page, name)).toBeVisible();
  await mark(page);
  const main = page.getByRole('navigation', { name: 'Main' });
  await expect(main.getByRole('link', { name: 'Fleet' })).toHaveAttribute('aria-current', 'page');

  await page.getByRole('link', { name, exact: true }).click();
  const heading = page.getByRole('heading', { level: 1 });
  await expect(heading).toHaveText(name);
  await expect(heading).toBeFocused();
  await expect(page).toHaveURL(`${demo.address}/clusters/${name}`);
  await expect(page).toHaveTitle(`${name} · Rampart`);
  await expect(page.getByRole('status', { name: 'Page' })).toHaveText(name);
  await expect(main.locator('[aria-current]')).toHaveCount(0);

  await page.getByRole('region', { name: 'Recent runs' }).getByRole('link', { name: 'All runs' }).click();
  await expect(page).toHaveURL(`${demo.address}/runs?cluster=${name}`);
  await expect(heading).toHaveText(`Runs of ${name}`);
  await expect(main.getByRole('link', { name: 'Runs' })).toHaveAttribute('aria-current', 'page');
  await page.getByRole('link', { name: 'Older runs' }).click();
  await expect(page).toHaveURL(new RegExp(`/runs\\?cluster=${name}&before=\\d+$`));
  await page.getByRole('link', { name: 'Runs of all clusters' }).click();
  await expect(heading).toHaveText('Runs');
  await page.goBack();
  await page.goBack();
  await expect(heading).toHaveText(`Runs of ${name}`);
  await expect(page.getByRole('link', { name: 'Newest runs' })).toHaveCount(0);
  await page.goBack();
  await expect(heading).toHaveText(name);
  await page.goBack();
  await expect(heading).toHaveText('Fleet');
  await page.goForward();
  await expect(heading).toHaveText(name);
  expect(await isMarked(page)).toBe(true);
});

test('a page that is gone to begins at its top', async ({ page, demo }) => {
  await page.setViewportSize({ width: 1000, height: 300 });
  await page.goto(demo.address);
  const cell = page.getByRole('link', { name: /: falls short/ }).last();
  await cell.scrollIntoViewIfNeeded();
  const left = await scrolled(page);
  expect(left).toBeGreaterThan(0);
  await cell.click();
  await expect(page.getByRole('region', { name: 'Findings', exact: true })).toBeVisible();
  expect(await scrolled(page)).toBe(0);
});

test('the state and the text of findings are in the address', async ({ page, demo }) => {
  await page.goto(demo.address);
  await page.getByRole('link', { name: /, Default deny: falls short/ }).first().click();
  const findings = page.getByRole('region', { name: 'Findings', exact: true });
  await expect(findings).toBeVisible();
  const address = page.url();
  await findings.scrollIntoViewIfNeeded();
  await mark(page);
  const tabs = findings.getByRole('navigation', { name: 'Findings by state' });
  await expect(tabs.getByRole('link', { name: /^Open/ })).toHaveAttribute('aria-current', 'true');

  await tabs.getByRole('link', { name: /^Resolved/ }).click();
  await expect(page).toHaveURL(`${address}?state=resolved`);
  await expect(tabs.getByRole('link', { name: /^Resolved/ })).toHaveAttribute('aria-current', 'true');
  // No page was gone to, so nothing else takes the focus.
  await expect(tabs.getByRole('link', { name: /^Resolved/ })).toBeFocused();

  const search = findings.getByRole('searchbox', { name: 'Search findings' });
  await search.fill('a b&c+ü');
  await expect(page).toHaveURL(`${address}?state=resolved&text=a%20b%26c%2B%C3%BC`);
  await expect(findings.getByText('No resolved finding holds “a b&c+ü”.')).toBeVisible();
  await expect(search).toBeFocused();
  // Typing leaves no steps behind.
  await page.goBack();
  await expect(page).toHaveURL(address);
  await expect(search).toHaveValue('');
  await page.goForward();
  await expect(search).toHaveValue('a b&c+ü');
  expect(await isMarked(page)).toBe(true);
  await page.reload();
  await expect(search).toHaveValue('a b&c+ü');
  await expect(tabs.getByRole('link', { name: /^Resolved/ })).toHaveAttribute('aria-current', 'true');
});

test('other tabs, downloads and parts of a page are left to the browser', async ({ page, context, demo }) => {
  await page.goto(demo.address);
  const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' });
  const [tab] = await Promise.all([context.waitForEvent('page'), link.click({ modifiers: ['ControlOrMeta'] })]);
  await expect(tab.getByRole('heading', { level: 1, name: 'Runs' })).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();
  await tab.close();

  await page.getByRole('link', { name: 'Skip to the content' }).press('Enter');
  await expect(page.locator('#content')).toBeFocused();
  await expect(page).toHaveURL(`${demo.address}/#content`);
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();

  await page.getByRole('link', { name: /, Default deny: falls short/ }).first().click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
  expect(download.suggestedFilename()).toMatch(/\.yaml$/);
});

test('addresses are read as they are written by hand', async ({ page, demo }) => {
  const heading = page.getByRole('heading', { level: 1 });
  await page.goto(`${demo.address}/runs/`);
  await expect(heading).toHaveText('Runs');
  const [{ name }] = (await new Api(demo.address).clusters()) as unknown as [{ name: string }];
  const encoded = [...name].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
  await page.goto(`${demo.address}/clusters/${encoded}`);
  await expect(heading).toHaveText(name);
  await page.goto(`${demo.address}/clusters/${name}/items/nothing`);
  await expect(heading).toHaveText('Item not found');
  await page.goto(`${demo.address}/clusters/${name}/nothing`);
  await expect(heading).toHaveText('Page not found');
  await page.getByRole('link', { name: 'Go to the fleet' }).click();
  await expect(heading).toHaveText('Fleet');
});
