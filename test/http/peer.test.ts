import { beforeAll, expect, test } from 'vitest'
import { DAY_MS } from '../../src/ca/ca.ts'
import { type EnrolledCredential, faultOf, type PeerIdentity, readIdentity } from '../../src/http/peer.ts'
import { memoryDirectory } from '../support/peer-directory.ts'
import { type ClientIdentity, certificateOf, TRUST_DOMAIN, testPki } from '../support/pki.ts'

let aspen: ClientIdentity
let identity: PeerIdentity
let credential: EnrolledCredential

beforeAll(async () => {
  aspen = await (await testPki()).participant('aspen')
  const read = readIdentity(certificateOf(aspen), TRUST_DOMAIN)
  if (typeof read === 'string') throw new Error(read)
  identity = read
  credential = memoryDirectory().set(aspen)
})

test('the pin that is read is the pin that the CA reported', () => {
  expect(identity).toMatchObject({ slug: 'aspen', spki: aspen.spki })
})

const TIMES: readonly [ms: (identity: PeerIdentity) => number, fault: string | undefined][] = [
  [({ notBefore }) => notBefore.getTime() - 1, 'certificate-early'],
  [({ notBefore }) => notBefore.getTime(), undefined],
  [({ notAfter }) => notAfter.getTime() - 1, undefined],
  [({ notAfter }) => notAfter.getTime(), 'certificate-expired'],
]
test.for(TIMES)('a certificate holds from its first to before its last instant: %#', ([ms, fault]) => {
  expect(faultOf(identity, credential, new Date(ms(identity)))).toBe(fault)
})

test('the pin ends too, whatever the certificate says', () => {
  const now = new Date()
  const ended = { ...credential, not_after: now }
  expect(faultOf(identity, ended, now)).toBe('credential-expired')
  expect(faultOf(identity, { ...credential, not_before: new Date(now.getTime() + 1) }, now)).toBe('credential-early')
  expect(identity.notAfter.getTime()).toBeGreaterThan(now.getTime() + 6 * DAY_MS)
})
