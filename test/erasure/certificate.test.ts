import { expect, test } from 'vitest'
import { certificateFaults, type ErasureCertificate, parseCertificate } from '../../src/erasure/certificate.ts'

const ID = '018f6b2e-0000-7000-8000-000000000001' as ErasureCertificate['event']
const CERTIFICATE: ErasureCertificate = {
  ...{ format: 'aldis-erasure-certificate/1', issued_at: '2026-11-27T00:00:00.000Z', event: ID, source: 'aster' },
  ...{ at: '2026-11-26T00:00:00.000Z', basis: 'subject_request', approval: ID, signals: 2, notified: 2 },
  holders: { acknowledged: ['birch'], cannot_remove: [], missing: ['cedar'], unreachable: [] },
  receipt: 'c2sp.org/tlog-proof@v1\n',
}
const ENTRY = {
  ...{ type: 'erasure', subject: 'aster', time: '2026-11-26T00:00:00.000Z', basis: 'subject_request' },
  ...{ approval: ID, n: '2', notified: 2 },
}
const fields = (entry: object) => Object.entries(entry).map(([name, value]) => ({ name, value: value as unknown }))

test('a certificate that says what its entry says has no fault', () => {
  expect(certificateFaults(CERTIFICATE, fields(ENTRY))).toEqual([])
})

test.for(Object.keys(ENTRY))('of which %s is another, it is at fault', (name) => {
  expect(certificateFaults(CERTIFICATE, fields({ ...ENTRY, [name]: 'another' }))).toEqual([
    `${name} is another than the entry says`,
  ])
})

test('holders are each of those that were notified, once', () => {
  const holders = { ...CERTIFICATE.holders, missing: [] }
  expect(certificateFaults({ ...CERTIFICATE, holders }, fields(ENTRY))).toHaveLength(1)
  const twice = { ...CERTIFICATE.holders, missing: ['birch'] }
  expect(certificateFaults({ ...CERTIFICATE, holders: twice }, fields(ENTRY))).toHaveLength(1)
})

test('what has a member more or less, or is no JSON, is none', () => {
  expect(parseCertificate(JSON.stringify(CERTIFICATE))).toEqual(CERTIFICATE)
  expect(parseCertificate(JSON.stringify({ ...CERTIFICATE, note: 'x' }))).toBeUndefined()
  expect(parseCertificate('{')).toBeUndefined()
  expect(parseCertificate('c2sp.org/tlog-proof@v1\n')).toBeUndefined()
})
