import { afterAll, beforeAll, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { aConsoleNode, type ConsoleNode } from '../../support/browser.ts'
import { picture } from '../../support/screenshot.ts'

let node: ConsoleNode
let pending: Uuid
let own: Uuid
let colleague: Uuid

beforeAll(async () => {
  node = await aConsoleNode()
  const { participants } = node.parts
  await node.decide('participant.admit', { slug: 'apple', name: 'Apple Social', kind: 'platform' })
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
        await page.getByRole('link', { name: 'Choose a persona' }).click()
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
    { name: 'approval-own', as: 'Nia', path: `/requests/${own}` },
    { name: 'approvals-admin', as: 'Nia', path: '/requests' },
    { name: 'people', as: 'Pam', path: '/people' },
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
