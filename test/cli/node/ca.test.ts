import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createProgrammeCa, openProgrammeCa } from '../../../src/ca/files.ts'
import { caCommands } from '../../../src/cli/node/ca.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-ca-command-'))
  vi.stubEnv('DATA_DIR', dir)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true })
})

test('aldis ca renew gives the issuer of DATA_DIR another year, and says when that ends', async () => {
  await createProgrammeCa(join(dir, 'ca'), { clock: () => new Date(Date.now() - 364 * 86_400_000) })
  const said: string[] = []
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  await renew().finally(() => out.mockRestore())
  const ends = new X509Certificate(openProgrammeCa(join(dir, 'ca')).issuerCertificate()).validToDate
  expect(ends.getTime()).toBeGreaterThan(Date.now() + 364 * 86_400_000)
  expect(JSON.parse(said.join(''))).toEqual({ issuer_ends: ends.toISOString() })
})

test('aldis ca renew asks for the key of the root where it was taken away, and changes nothing', async () => {
  const ca = await createProgrammeCa(join(dir, 'ca'), { clock: () => new Date() })
  rmSync(join(dir, 'ca', 'root.key'))
  await expect(renew()).rejects.toThrow('put the key of the root back')
  expect(openProgrammeCa(join(dir, 'ca')).issuerCertificate()).toBe(ca.issuerCertificate())
})

function renew(): Promise<unknown> {
  const program = new Command('aldis').option('--json')
  caCommands(program)
  return program.parseAsync(['--json', 'ca', 'renew'], { from: 'user' })
}
