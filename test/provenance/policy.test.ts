import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { NOTE_TYPE, parseNote } from '../../src/provenance/note.ts'
import {
  POLICY_MAX,
  type Policy,
  PolicyMalformed,
  parsePolicy,
  quorumHolds,
  trustsLog,
  witnessedBy,
} from '../../src/provenance/policy.ts'
import { aKey, vkeyText } from './signing.ts'
import { bytes, LOG } from './vectors.ts'

const keyFor = (i: number) => aKey(`witness-${i}.example`, new Uint8Array(32).fill(i + 1))
const vkeyFor = (i: number): string => vkeyText(keyFor(i).name, keyFor(i).publicKey, NOTE_TYPE.cosignature)
const logFor = (i: number): string => {
  const { name, publicKey } = aKey(`log-${i}.example`, new Uint8Array(32).fill(i + 1))
  return vkeyText(name, publicKey)
}
const three = `log ${LOG.vkey}
witness a ${vkeyFor(0)} https://a.example/w
witness b ${vkeyFor(1)} http://127.0.0.1:8445
witness c ${vkeyFor(2)}
`
const parse = (text: string): Policy => parsePolicy(sha256, text)
const faultOf = (text: string): string => {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof PolicyMalformed) return error.message
    throw error
  }
  return 'none'
}

test('a policy is read line by line, with comments, blanks and tabs', () => {
  const policy = parse(
    `# ours\n\n \t${three.replaceAll(' ', '\t ')}  # c\ngroup two 2 a b c\ngroup all-in all two\nquorum  all-in \n`,
  )
  expect(policy.logs.map(({ key, url }) => [key.name, url])).toEqual([[LOG.origin, undefined]])
  expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([
    ['a', 'https://a.example/w'],
    ['b', 'http://127.0.0.1:8445'],
    ['c', undefined],
  ])
  expect([...policy.groups]).toEqual([
    ['two', { k: 2, members: ['a', 'b', 'c'] }],
    ['all-in', { k: 1, members: ['two'] }],
  ])
  expect(policy.quorum).toBe('all-in')
})

describe('a policy is refused, with the line at fault,', () => {
  test.for<[string, string, string]>([
    ['without its last newline', 'quorum none', 'line 1: a line ends'],
    ['without quorum', three, 'line 4: there is no quorum'],
    ['empty', '', 'line 1: there is no quorum'],
    ['with two quorums', 'quorum none\nquorum none\n', 'line 2: a second quorum'],
    ['with a quorum defined below', `quorum a\n${three}`, 'line 1: the name is not defined'],
    ['with a word that is none', `${three}trust a\n`, 'line 5: it begins with none'],
    ['with a control character', 'quorum none\r\n', 'line 1: a control character'],
    ['with the character of deletion', '# \x7f\nquorum none\n', 'line 1: a control character'],
    ['with a mark of a comment at the end alone', 'trust #\nquorum none\n', 'line 1: it begins with none'],
    ['with a log without key', 'log\nquorum none\n', 'line 1: expected log'],
    ['with a word behind a log', `log ${LOG.vkey} https://a.example x\nquorum none\n`, 'line 1: expected log'],
    ['with a log in the clear', `log ${LOG.vkey} http://a.example\nquorum none\n`, 'line 1: expected a URL'],
    ['with one log twice', `log ${LOG.vkey}\nlog ${LOG.vkey}\nquorum none\n`, 'line 2: the key stands on another log'],
    [
      'of too many logs',
      `${Array.from({ length: 33 }, (_, i) => `log ${logFor(i)}\n`).join('')}quorum none\n`,
      'line 33: more than 32 logs',
    ],
    ['with a witness without key', 'witness a\nquorum none\n', 'line 1: expected witness'],
    ['with a witness without name', 'witness\nquorum none\n', 'line 1: expected witness'],
    [
      'with a word behind a witness',
      `witness a ${vkeyFor(0)} https://a.example x\nquorum a\n`,
      'line 1: expected witness',
    ],
    ['with a group without name', `${three}group\nquorum none\n`, 'line 5: expected group'],
    [
      'of too many groups',
      `${three}${Array.from({ length: 33 }, (_, i) => `group g${i} any ${i === 0 ? 'a' : `g${i - 1}`}\n`).join('')}`,
      'line 37: more than 32 groups',
    ],
    ['with a quorum of nothing', 'quorum\n', 'line 1: expected quorum'],
    ['with a quorum of two', `${three}quorum a b\n`, 'line 5: expected quorum'],
    ['with a threshold of 1x', `${three}group g 1x a\nquorum g\n`, 'line 5: expected all'],
    ['with a log key for a witness', `witness a ${LOG.vkey}\nquorum a\n`, 'line 1: expected witness'],
    ['with a witness key for a log', `log ${vkeyFor(0)}\nquorum none\n`, 'line 1: expected log'],
    ['with a damaged key', `witness a ${vkeyFor(0).replace('+', '+0')}\nquorum a\n`, 'line 1: expected witness'],
    ['with one key twice', `${three}witness d ${vkeyFor(1)}\nquorum d\n`, 'line 5: the key stands'],
    ['with one name twice', `${three}witness a ${vkeyFor(4)}\nquorum a\n`, 'line 5: the name is taken'],
    ['with a group named as a witness', `${three}group a any b\nquorum a\n`, 'line 5: the name is taken'],
    ['with something named none', `witness none ${vkeyFor(0)}\nquorum none\n`, 'line 1: the name is taken'],
    ['with none in a group', `${three}group g any a none\nquorum g\n`, 'line 5: a member is not defined'],
    ['with a member from below', `${three}group g any h\ngroup h any a\nquorum g\n`, 'line 5: a member is not'],
    ['with a witness in two groups', `${three}group g any a\ngroup h any a\nquorum g\n`, 'line 6: a member is in'],
    ['with a member named twice', `${three}group g 2 a a\nquorum g\n`, 'line 5: a member is in'],
    ['with an empty group', `${three}group g any\nquorum g\n`, 'line 5: expected group'],
    ['with a threshold of 0', `${three}group g 0 a\nquorum g\n`, 'line 5: expected all'],
    ['with a threshold above its members', `${three}group g 3 a b\nquorum g\n`, 'line 5: expected all'],
    ['with a threshold of 01', `${three}group g 01 a\nquorum g\n`, 'line 5: expected all'],
    ['that is too long', `#${'x'.repeat(POLICY_MAX)}\nquorum none\n`, 'line 1: a policy has'],
    [
      'of too many witnesses',
      `${Array.from({ length: 33 }, (_, i) => `witness w${i} ${vkeyFor(i)}\n`).join('')}quorum none\n`,
      'line 33: more than 32',
    ],
  ])('%s', ([_, text, fault]) => {
    expect(faultOf(text)).toContain(fault)
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'PolicyMalformed' }))
  })
  test('with one byte more than it may have, and taken with as many', () => {
    const end = '\nquorum none\n'
    const full = `#${'x'.repeat(POLICY_MAX - 1 - end.length)}${end}`
    expect([faultOf(full), faultOf(`#${full}`)]).toEqual(['none', expect.stringContaining('line 1: a policy has')])
  })

  test.for([
    ...['http://a.example', 'http://10.0.0.1', 'ftp://a.example', 'a.example', 'https://u:p@a.example'],
    ...['https://u@a.example', 'https://:p@a.example', 'ftp://127.0.0.1', 'http://a.127.0.0.1.example'],
    ...['https://a.example?x', 'https://a.example#x', 'http://127.0.0.1.example', 'http://localhost.example'],
  ])('with the URL %s', (url) => {
    expect(faultOf(`witness a ${vkeyFor(0)} ${url}\nquorum a\n`)).toContain('line 1: expected a URL of https')
  })

  test('whatever stands on a line', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (line) => {
        const text = `${line}\nquorum none\n`
        expect(/^(none|line [0-9]+: )/.test(faultOf(text))).toBe(true)
      }),
    )
  })
})

test.for(['https://a.example', 'http://localhost:1', 'http://[::1]:2/w', 'http://127.8.9.1', 'http://127.81.92.103'])(
  'the URL %s is taken',
  (url) => {
    expect(faultOf(`witness a ${vkeyFor(0)} ${url}\nquorum a\n`)).toBe('none')
  },
)

describe('a quorum', () => {
  test('of a group holds with exactly as many members as it asks for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(), fc.uniqueArray(fc.nat({ max: 7 })), (n, at, who) => {
        const k = (at % n) + 1
        const names = Array.from({ length: n }, (_, i) => `w${i}`)
        const witnesses = names.map((name, i) => `witness ${name} ${vkeyFor(i)}\n`).join('')
        const policy = parse(`${witnesses}group g ${k} ${names.join(' ')}\nquorum g\n`)
        const cosigned = new Set(who.filter((i) => i < n).map((i) => `w${i}`))
        expect(quorumHolds(policy, cosigned)).toBe(cosigned.size >= k)
      }),
    )
  })
  test('of groups counts a group, not its members', () => {
    const policy = parse(`${three}group x 2 a b\ngroup g all x c\nquorum g\n`)
    const holds = (...names: string[]) => quorumHolds(policy, new Set(names))
    expect([holds('a', 'c'), holds('a', 'b'), holds('a', 'b', 'c')]).toEqual([false, false, true])
  })
  test('of nobody always holds', () => {
    expect(quorumHolds(parse('quorum none\n'), new Set())).toBe(true)
  })
})

describe('of a note a policy says', () => {
  const text = `witness w ${LOG.witness_vkey}\nwitness b ${vkeyFor(1)}\n`
  const note = (of: string) => parseNote(of) ?? expect.fail('no note')

  test('who cosigned it, when, and who did not', () => {
    const told = witnessedBy(parse(`${text}group g any w b\nquorum g\n`), note(LOG.checkpoint), verifyEd25519)
    expect([...told.cosigned]).toEqual([['w', BigInt(LOG.witness_seconds)]])
    expect([told.quorum, told.missing]).toEqual([true, ['b']])
    expect(witnessedBy(parse(`${text}quorum b\n`), note(LOG.checkpoint), verifyEd25519).quorum).toBe(false)
  })
  test('nothing of a cosignature under the name and id of a witness by another key', () => {
    const [line = ''] = LOG.witness_line.split('\n')
    const forged = `${LOG.checkpoint_text}\n${LOG.log_line}${line.slice(0, -6)}AAAA==\n`
    const told = witnessedBy(parse(`${text}quorum w\n`), note(forged), verifyEd25519)
    expect([told.quorum, told.missing]).toEqual([false, ['w', 'b']])
  })
  test('whether its log is trusted: the very key, or any where none is named', () => {
    const key = aKey(LOG.origin, bytes(LOG.log_seed)).vkey
    expect(trustsLog(parse(`log ${LOG.vkey}\nquorum none\n`), key)).toBe(true)
    expect(trustsLog(parse('quorum none\n'), key)).toBe(true)
    expect(trustsLog(parse(`log ${logFor(1)}\nlog ${LOG.vkey}\nquorum none\n`), key)).toBe(true)
    expect(trustsLog(parse(`log ${LOG.vkey}\nquorum none\n`), { ...key, name: 'other.example' })).toBe(false)
    expect(trustsLog(parse(`log ${LOG.vkey}\nquorum none\n`), aKey(LOG.origin, bytes(LOG.witness_seed)).vkey)).toBe(
      false,
    )
  })
})
