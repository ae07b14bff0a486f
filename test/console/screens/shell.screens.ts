import { afterAll, beforeAll, test } from 'vitest'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { CONFORMANCE_STEPS, type ConformanceSteps } from '../../../src/sandbox/schema.ts'
import { aConsoleNode, type ConsoleNode } from '../../support/browser.ts'
import { following, picture } from '../../support/screenshot.ts'

const PASSED = Object.fromEntries(CONFORMANCE_STEPS.map((step) => [step, 'pass'])) as ConformanceSteps

let node: ConsoleNode
let pending: Uuid
let own: Uuid
let colleague: Uuid

beforeAll(async () => {
  node = await aConsoleNode({ env: { WEBHOOK_HOSTS: 'apple=hooks.apple.example', SANDBOX: 'on' } })
  const { participants } = node.parts
  await node.decide('participant.admit', { slug: 'apple', name: 'Apple Social', kind: 'platform' })
  const { client } = await node.enrolled('apple')
  await client.whoami()
  await client.hashKey('epoch-2').catch(() => {})
  await client.conformance.report(newId(new Date()), { ...PASSED, webhook_answered: 'fail' })
  await client.conformance.report(newId(new Date()), PASSED)
  await node.persona({ name: 'Gil', organisation: 'council', roles: ['governance'] })
  const nia = await node.persona({ name: 'Nia', organisation: 'office', roles: ['node_admin'] })
  await node.persona({ name: 'Pam', organisation: 'apple', roles: ['partner_admin'] })
  colleague = await node.persona({ name: 'Lea', organisation: 'apple', roles: ['lead'] })
  await node.persona({ name: 'Ana', organisation: 'apple', roles: ['analyst'] })
  await participants.addPerson(node.ada, { name: 'Bo', organisation: 'apple' })
  pending = (
    await participants.propose(
      'participant.admit',
      { slug: 'banana', name: 'Banana Video', kind: 'platform' },
      node.ada,
    )
  ).request_id
  own = (await participants.propose('hash-profile.retire', { kid: 'epoch-1' }, nia)).request_id
  await participants.propose(
    'credential.enrol',
    { participant: 'apple', label: 'main', scopes: ['signals:submit', 'feed:read'] },
    node.ada,
  )
})
afterAll(() => node.end())

test('every screen of the shell', async () => {
  await picture(node, [
    { name: 'sign-in', path: '/sign-in' },
    {
      name: 'personas',
      path: '/sign-in',
      before: async ({ page }) => {
        await following(page, () => page.getByRole('link', { name: 'Choose a persona' }).click())
      },
    },
    { name: 'sign-in-ended', path: '/sign-in?ended=idle' },
    { name: 'approvals', as: 'Gil', path: '/requests' },
    { name: 'approval', as: 'Gil', path: `/requests/${pending}` },
    {
      name: 'approval-confirmed',
      as: 'Gil',
      path: `/requests/${pending}`,
      before: async ({ page, confirm }) => {
        const link = page.getByRole('link', { name: 'Confirm it is you' })
        if ((await link.count()) === 0) return
        await link.click()
        await confirm()
      },
    },
    {
      name: 'help',
      as: 'Gil',
      path: '/requests',
      before: async ({ page }) => {
        await page.keyboard.press('?')
      },
    },
    {
      name: 'palette',
      as: 'Gil',
      path: '/requests',
      before: async ({ page }) => {
        await page.keyboard.press('Control+k')
        await page.keyboard.type('log')
      },
    },
    { name: 'not-found', as: 'Gil', path: '/people' },
    { name: 'log', as: 'Gil', path: '/log' },
    { name: 'log-entry', as: 'Gil', path: '/log/entries/3' },
    { name: 'settings', as: 'Gil', path: '/settings' },
    { name: 'participants', as: 'Gil', path: '/participants' },
    { name: 'participant', as: 'Gil', path: '/participants/apple' },
    { name: 'onboarding', as: 'Gil', path: '/onboarding' },
    { name: 'groups', as: 'Gil', path: '/groups' },
    { name: 'who-may-see', as: 'Gil', path: '/sight' },
    { name: 'manual', path: '/docs' },
    { name: 'manual-api', path: '/docs/api' },
    { name: 'participant-admin', as: 'Nia', path: '/participants/apple' },
    { name: 'participant-suspend', as: 'Nia', path: '/participants/apple/suspend' },
    { name: 'approval-own', as: 'Nia', path: `/requests/${own}` },
    { name: 'approvals-admin', as: 'Nia', path: '/requests' },
    { name: 'people', as: 'Pam', path: '/people' },
    { name: 'notices-none', as: 'Pam', path: '/notices' },
    { name: 'developer', as: 'Pam', path: '/developer' },
    { name: 'request-log', as: 'Pam', path: '/developer/requests' },
    { name: 'request-log-refused', as: 'Pam', path: '/developer/requests?code=Not+a+code' },
    {
      name: 'sandbox',
      as: 'Pam',
      path: '/developer/sandbox',
      before: async ({ page }) => {
        await page.getByRole('button', { name: 'Share a signal with me' }).click()
        await page.getByText('The simulated participant shared a signal').waitFor()
      },
    },
    { name: 'webhooks', as: 'Pam', path: '/webhooks' },
    {
      name: 'webhooks-refused',
      as: 'Pam',
      path: '/webhooks',
      before: async ({ page }) => {
        await page.getByLabel('URL').fill('https://evil.example/')
        await following(page, () => page.getByRole('button', { name: 'Add', exact: true }).click())
      },
    },
    { name: 'person', as: 'Pam', path: `/people/${colleague}` },
    {
      name: 'menu',
      as: 'Pam',
      path: '/people',
      before: async ({ page }) => {
        await page.locator('.menu summary').click()
      },
    },
  ])
})
