import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Check } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { auditPaths } from '../../src/feeds/entry.ts'
import { tokenInput } from '../../src/identifiers/token.ts'
import { fromBase64Url, fromHex, toBase64Url, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { hmac } from '../../src/kernel/hmac.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { chainDisclosure, chainsHash, entryOf, genesisLink, nextLink } from '../../src/provenance/chain.ts'
import { commitment, digestOf } from '../../src/provenance/commitment.ts'
import { leafHash } from '../../src/provenance/merkle.ts'
import { commit } from '../../src/provenance/record.ts'
import { SIGNAL_SHAPES, SignalItem, WithdrawalItem } from '../../src/signals/schema.ts'
import { itemLeaf, payloadText, SUBMISSION_TYPES } from '../../src/signals/submission.ts'

const text = readFileSync(join(import.meta.dirname, '../../docs/formats.md'), 'utf8')
const blocks = [...text.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = '']) => block)

/** Labels and values of the example that has this label; the values of a label that stands twice, in order. */
function example(label: string): (name: string, at?: number) => string {
  const block = blocks.find((one) => one.startsWith(`${label} `)) ?? ''
  const rows = block.split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^(\S+(?: salt)?) +(.*)$/.exec(line) ?? []
    return name === '' ? [] : [[name, value] as const]
  })
  return (name, at = 0) => rows.filter(([own]) => own === name)[at]?.[1] ?? ''
}
const hex = (value: string): Uint8Array => fromHex(value) ?? new Uint8Array(0)
const b64u = (value: string): Uint8Array => fromBase64Url(value) ?? new Uint8Array(0)

describe('what docs/formats.md works out is what the code makes', () => {
  test('of a token', () => {
    const of = example('key')
    const input = tokenInput(of('profile'), of('canonical'))
    expect(toHex(input)).toBe(of('input'))
    expect(toHex(hmac(sha256, hex(of('key')), input))).toBe(of('token'))
  })

  test('of an item and its withdrawal, each in a submission of its own', () => {
    const of = example('item')
    expect(Check(SignalItem, JSON.parse(of('item')))).toBe(true)
    expect(Check(WithdrawalItem, JSON.parse(of('item', 1)))).toBe(true)
    for (const at of [0, 1]) {
      const leaf = itemLeaf(b64u(of('salt', at)), of('item', at))
      expect(toHex(leaf)).toBe(of('leaf', at))
      expect(of('payload', at)).toBe(payloadText(1, leaf))
      expect(auditPaths(sha256, [leaf])(0)).toBe('')
    }
    expect(JSON.parse(of('item', 1)).prev).toBe(toBase64Url(hex(of('leaf'))))
  })

  test('of an entry of the log', () => {
    const of = example('origin')
    const [, name, value] = JSON.parse(of('field')) as [string, string, string]
    const disclosures = [{ audience: 'A', name, value }]
    const made = commit({ disclosures, decoys: 0 }, () => toBase64Url(hex(of('salt'))))
    expect(made.texts).toEqual([of('disclosure')])
    expect(digestOf(sha256, of('disclosure'))).toBe(of('digest'))
    expect(of('payload')).toContain(of('digest'))
    const c = commitment(sha256, of('payload'))
    expect(toHex(c)).toBe(of('C'))
    const first = genesisLink(sha256, of('origin'), 'org-a')
    expect([toHex(first), toHex(nextLink(sha256, first, 1n, c))]).toEqual([of('L(org-a,0)'), of('L(org-a,1)')])
    const link = { party: 'org-a', seq: 1n, link: hex(of('L(org-a,1)')), salt: hex(of('chain salt')) }
    expect(chainDisclosure(link)).toBe(of('cdisc'))
    expect(toHex(sha256(utf8(of('cdisc'))))).toBe(of('SHA-256'))
    const h = chainsHash(sha256, [hex(of('SHA-256'))])
    const entry = entryOf(sha256, c, h)
    expect([toHex(h), toHex(entry), toHex(leafHash(sha256, entry))]).toEqual([of('H'), of('entry'), of('leaf')])
  })
})

test('docs/formats.md names every type, every member and every choice of an item, and every kind of submission', () => {
  const shapes = Object.values(SIGNAL_SHAPES)
  const members = shapes.flatMap(({ properties: { value, ...own } }) => [
    ...Object.keys(own),
    ...Object.keys(value.properties),
  ])
  const choices = [...JSON.stringify([SignalItem, WithdrawalItem]).matchAll(/"enum":(\[[^\]]*\])/g)]
  const words = choices.flatMap(([, list = '[]']) => JSON.parse(list) as string[])
  const wanted = new Set([
    ...Object.keys(SIGNAL_SHAPES),
    ...members,
    ...words,
    ...Object.keys(WithdrawalItem.properties),
  ])
  expect(wanted.size).toBeGreaterThan(70)
  const named = (word: string) => text.includes(`\`${word}\``) || text.includes(`"${word}"`)
  expect([...wanted, ...SUBMISSION_TYPES].filter((word) => !named(word))).toEqual([])
})
