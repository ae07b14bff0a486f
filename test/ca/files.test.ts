import { X509Certificate } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issueClientCertificate } from '../../src/ca/ca.ts'
import { createCsr, newTlsKey } from '../../src/ca/csr.ts'
import { createProgrammeCa, openProgrammeCa, renewIssuer } from '../../src/ca/files.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { pemOf, uriOf } from '../support/pki.ts'

const clock = systemClock
const FOUR = ['issuer.crt', 'issuer.key', 'root.crt', 'root.key']
let dir: string

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'aldis-ca-')), 'ca')
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true }))

test('a CA is four files, and its keys are for their owner alone', async () => {
  await createProgrammeCa(dir, { clock })
  expect(readdirSync(dir).sort()).toEqual(FOUR)
  const modeOf = (name: string): number => statSync(join(dir, name)).mode & 0o777
  expect([modeOf('root.key'), modeOf('issuer.key'), modeOf('.')]).toEqual([0o600, 0o600, 0o700])
})

test('an opened CA issues what its root stands above, without the key of the root', async () => {
  const { rootCertificate } = await createProgrammeCa(dir, { clock })
  rmSync(join(dir, 'root.key'))
  const ca = openProgrammeCa(dir)
  const csrPem = await createCsr(newTlsKey())
  const { chain } = await issueClientCertificate(ca, { csrPem, uri: uriOf('aspen'), now: clock() })
  const issuer = new X509Certificate(ca.issuerCertificate())
  expect(new X509Certificate(chain).verify(issuer.publicKey)).toBe(true)
  expect(issuer.verify(new X509Certificate(rootCertificate()).publicKey)).toBe(true)
})

test('names are neutral unless others are given', async () => {
  const given = await createProgrammeCa(dir, { clock, names: { root: 'R7', issuer: 'I7' } })
  expect(new X509Certificate(given.issuerCertificate()).subject).toBe('CN=I7')
  const ca = await createProgrammeCa(join(dir, 'other'), { clock })
  expect([ca.rootCertificate(), ca.issuerCertificate()].map((pem) => new X509Certificate(pem).subject)).toEqual([
    'CN=Root 1',
    'CN=Issuer 1',
  ])
})

test('a CA is never made over another', async () => {
  const { rootCertificate } = await createProgrammeCa(dir, { clock })
  await expect(createProgrammeCa(dir, { clock })).rejects.toThrow(StartRefused)
  rmSync(join(dir, 'root.key'))
  await expect(createProgrammeCa(dir, { clock })).rejects.toThrow(StartRefused)
  expect(openProgrammeCa(dir).rootCertificate()).toBe(rootCertificate())
})

test('a CA whose making was interrupted is made by the next try', async () => {
  let asked = 0
  const interrupted = (): Date => {
    asked += 1
    if (asked > 1) throw new Error('after the root')
    return clock()
  }
  await expect(createProgrammeCa(dir, { clock: interrupted })).rejects.toThrow('after the root')
  expect(() => openProgrammeCa(dir)).toThrow(/missing/)
  await createProgrammeCa(dir, { clock })
  expect(readdirSync(dir).sort()).toEqual(FOUR)
  expect(openProgrammeCa(dir).issuerCertificate()).toContain('CERTIFICATE')
})

test('an empty folder that cannot be replaced, as a volume or behind a symbolic link, becomes a CA in its place', async () => {
  const [volume, plain] = [join(dir, '..', 'volume'), join(dir, '..', 'plain')]
  for (const path of [volume, plain]) mkdirSync(path)
  symlinkSync(volume, dir)
  for (const path of [dir, plain]) {
    const inode = statSync(path).ino
    await createProgrammeCa(path, { clock })
    expect([readdirSync(path).sort(), statSync(path).ino]).toEqual([FOUR, inode])
    await expect(createProgrammeCa(path, { clock })).rejects.toThrow(StartRefused)
  }
})

test('a CA of which only some files came into its folder is ended by the next try, with the same keys', async () => {
  await createProgrammeCa(dir, { clock })
  const [aside, key] = [join(dir, '.17.new'), readFileSync(join(dir, 'issuer.key'), 'utf8')]
  cpSync(dir, join(dir, '..', 'copy'), { recursive: true })
  renameSync(join(dir, '..', 'copy'), aside)
  for (const name of ['issuer.crt', 'root.crt']) rmSync(join(dir, name))
  await createProgrammeCa(dir, { clock })
  expect([readdirSync(dir).sort(), readFileSync(join(dir, 'issuer.key'), 'utf8')]).toEqual([FOUR, key])
})

test('a renewed issuer has another key under the same root', async () => {
  const before = await createProgrammeCa(dir, { clock })
  const after = await renewIssuer(dir, { clock })
  const [old, fresh, root] = [before.issuerCertificate(), after.issuerCertificate(), after.rootCertificate()].map(
    (pem) => new X509Certificate(pem),
  )
  expect(fresh?.fingerprint256).not.toBe(old?.fingerprint256)
  expect(root !== undefined && fresh?.verify(root.publicKey)).toBe(true)
})

test('a renewal that was interrupted between key and certificate is ended by the next one', async () => {
  await createProgrammeCa(dir, { clock })
  writeFileSync(join(dir, 'issuer.key'), pemOf(newTlsKey()))
  await renewIssuer(dir, { clock })
  expect(openProgrammeCa(dir).issuerCertificate()).toContain('CERTIFICATE')
})

const SPOILT: readonly [what: string, spoil: () => void, why: RegExp][] = [
  ['a key that the group may read', () => chmodSync(join(dir, 'issuer.key'), 0o640), /chmod 600/],
  ['a key that anyone may read', () => chmodSync(join(dir, 'issuer.key'), 0o604), /chmod 600/],
  ['no key', () => rmSync(join(dir, 'issuer.key')), /missing/],
  ['no root', () => rmSync(join(dir, 'root.crt')), /missing/],
  ['a key that is none', () => writeFileSync(join(dir, 'issuer.key'), 'x'), /not a P-256 key/],
  ['another key', () => writeFileSync(join(dir, 'issuer.key'), pemOf(newTlsKey())), /not over issuer\.key/],
]
test.for(SPOILT)('with %s it does not open', async ([, spoil, why]) => {
  await createProgrammeCa(dir, { clock })
  spoil()
  expect(() => openProgrammeCa(dir)).toThrow(StartRefused)
  expect(() => openProgrammeCa(dir)).toThrow(why)
})

test.runIf(process.getuid?.() === 0)(
  'with a key of another user it does not open (needs root to give one away)',
  async () => {
    await createProgrammeCa(dir, { clock })
    chownSync(join(dir, 'issuer.key'), 65_534, 65_534)
    expect(() => openProgrammeCa(dir)).toThrow(/belongs to another user/)
  },
)
