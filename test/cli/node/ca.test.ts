import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { createProgrammeCa, openProgrammeCa } from '../../../src/ca/files.ts'
import { caCommands } from '../../../src/cli/node/ca.ts'

const dir = mkdtempSync(join(tmpdir(), 'aldis-ca-command-'))
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true })
})

test('aldis ca renew gives the issuer of DATA_DIR another year, and says when that ends', async () => {
  await createProgrammeCa(join(dir, 'ca'), { clock: () => new Date(Date.now() - 364 * 86_400_000) })
  vi.stubEnv('DATA_DIR', dir)
  const said: string[] = []
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  const program = new Command('aldis').option('--json')
  caCommands(program)
  await program.parseAsync(['--json', 'ca', 'renew'], { from: 'user' }).finally(() => out.mockRestore())
  const ends = new X509Certificate(openProgrammeCa(join(dir, 'ca')).issuerCertificate()).validToDate
  expect(ends.getTime()).toBeGreaterThan(Date.now() + 364 * 86_400_000)
  expect(JSON.parse(said.join(''))).toEqual({ issuer_ends: ends.toISOString() })
})
