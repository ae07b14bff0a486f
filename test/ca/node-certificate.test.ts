import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DAY_MS, issueClientCertificate } from '../../src/ca/ca.ts'
import { createCsr, newTlsKey } from '../../src/ca/csr.ts'
import { createProgrammeCa, type ProgrammeCa, renewIssuer } from '../../src/ca/files.ts'
import { nodeCertificate } from '../../src/ca/node-certificate.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { uriOf } from '../support/pki.ts'

const MADE = new Date('2026-11-26T12:00:00.000Z')
const daysOn = (days: number): Date => new Date(MADE.getTime() + days * DAY_MS)
let dir: string
let ca: ProgrammeCa
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-node-certificate-'))
  ca = await createProgrammeCa(join(dir, 'ca'), { clock: () => MADE })
})
afterAll(() => rmSync(dir, { recursive: true }))

const certificateOn = (days: number, by = ca, tls = 'tls') =>
  nodeCertificate(join(dir, tls), { ca: by, hosts: ['127.0.0.1'], clock: () => daysOn(days) })

test("a node's certificate is renewed in its last thirty days, but not again where the issuer ends with it", async () => {
  const first = await certificateOn(300)
  expect((await certificateOn(340)).chain).toBe(first.chain)
  expect((await certificateOn(364)).chain).toBe(first.chain)
  const renewed = await renewIssuer(join(dir, 'ca'), { clock: () => daysOn(364) })
  expect((await certificateOn(364, renewed)).notAfter).toEqual(daysOn(364 + 90))
})

test('once the issuer has ended, a node does not start, and nobody is enrolled', async () => {
  await expect(certificateOn(366, ca, 'other')).rejects.toThrow(StartRefused)
  await expect(certificateOn(366, ca, 'other')).rejects.toThrow('aldis ca renew')
  const csrPem = await createCsr(newTlsKey())
  const asked = issueClientCertificate(ca, { csrPem, uri: uriOf('aspen'), now: daysOn(366) })
  await expect(asked).rejects.toMatchObject({ name: 'Refusal', code: 'issuer-ended', status: 503 })
})
