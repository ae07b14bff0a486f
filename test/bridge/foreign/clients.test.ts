import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  addForeignClient,
  CLIENTS_MAX,
  endForeignClient,
  foreignClients,
  openForeignClients,
} from '../../../src/bridge/foreign/clients.ts'
import { NOON } from '../../signals/factory.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aldis-clients-'))
})
afterEach(() => rmSync(home, { recursive: true }))

test('a secret is told once and kept as a digest, for the owner of the folder alone', () => {
  const secret = addForeignClient(home, 'scanner', { category: 'grooming' }, NOON)
  const folder = join(home, 'bridge', 'clients')
  const [file = ''] = readdirSync(folder)
  expect(readFileSync(join(folder, file), 'utf8')).not.toContain(secret)
  expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
  expect(openForeignClients(home).of(secret)).toMatchObject({ name: 'scanner', category: 'grooming' })
})

test('it is nobody else’s, and nobody’s once it is ended, while the bridge runs', () => {
  const clients = openForeignClients(home)
  expect(clients.any()).toBe(false)
  const [one, two] = ['one', 'two'].map((name) => addForeignClient(home, name, {}, NOON))
  expect([clients.of(one)?.name, clients.of(two)?.name]).toEqual(['one', 'two'])
  expect([clients.of(undefined), clients.of(''), clients.of('A'.repeat(43))]).toEqual([undefined, undefined, undefined])
  endForeignClient(home, 'one')
  expect([clients.of(one), clients.of(two)?.name, clients.names()]).toEqual([undefined, 'two', ['two']])
})

test('a name is a slug, taken once, of so many; what is not there cannot be ended', () => {
  addForeignClient(home, 'one', {}, NOON)
  expect(() => addForeignClient(home, 'one', {}, NOON)).toThrow('state-conflict')
  expect(() => addForeignClient(home, '../one', {}, NOON)).toThrow('validation-failed')
  expect(() => addForeignClient(home, 'two', { context: 'Ireland' }, NOON)).toThrow('validation-failed')
  expect(() => endForeignClient(home, 'three')).toThrow('not-found')
  for (let i = 1; i < CLIENTS_MAX; i++) addForeignClient(home, `more-${i}`, {}, NOON)
  expect(() => addForeignClient(home, 'last', {}, NOON)).toThrow('state-conflict')
})

test('a file that is no client is named, and nothing is answered by it', () => {
  addForeignClient(home, 'one', {}, NOON)
  writeFileSync(join(home, 'bridge', 'clients', 'two.json'), '{"name":"two"}')
  expect(() => foreignClients(home)).toThrow('two.json')
})
